# A room is one folder of src/: a static library of its *.cpp files, and, where *_test.cpp files stand beside them,
# one test program. The precompiled header (the only place that includes boost/asio.hpp) is compiled once and shared.

add_library(vireo_pch STATIC ${CMAKE_SOURCE_DIR}/cmake/pch.cpp)
target_precompile_headers(vireo_pch PRIVATE ${CMAKE_SOURCE_DIR}/cmake/pch.hpp)
target_link_libraries(vireo_pch PUBLIC Threads::Threads fmt::fmt spdlog::spdlog)
# Without this, the header's time stamp goes into the compiled header and no cache entry is ever found again.
target_compile_options(vireo_pch PUBLIC "SHELL:-Xclang -fno-pch-timestamp")
add_custom_target(pch_sum
  COMMAND ${CMAKE_COMMAND} -DHEADER=${CMAKE_SOURCE_DIR}/cmake/pch.hpp
    "-DFLAGS=${CMAKE_BUILD_TYPE} ${CMAKE_CXX_FLAGS_DEBUG} ${CMAKE_CXX_FLAGS_RELEASE} ${VIREO_SANITIZE}"
    -DSUM=${CMAKE_BINARY_DIR}/CMakeFiles/vireo_pch.dir/cmake_pch.hxx.pch.sum -P ${CMAKE_SOURCE_DIR}/cmake/pch_sum.cmake
  VERBATIM)
add_dependencies(vireo_pch pch_sum)

# vireo_room(NAME [ROOMS other rooms] [LIBS libraries]): the room in the current folder becomes target vireo_NAME.
function(vireo_room name)
  cmake_parse_arguments(ARG "" "" "ROOMS;LIBS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS *.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "(_test|/main)\\.cpp$")  # a program's main belongs to the program
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(TRANSFORM ARG_ROOMS PREPEND vireo_)

  if(sources)
    set(kind PUBLIC)
    add_library(vireo_${name} STATIC ${sources})
    target_precompile_headers(vireo_${name} REUSE_FROM vireo_pch)
  else()
    set(kind INTERFACE)
    add_library(vireo_${name} INTERFACE)
  endif()
  target_include_directories(vireo_${name} ${kind} ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(vireo_${name} ${kind} ${ARG_ROOMS} ${ARG_LIBS} vireo_pch)

  if(tests)
    add_executable(${name}_test ${tests})
    target_precompile_headers(${name}_test REUSE_FROM vireo_pch)
    target_compile_definitions(${name}_test PRIVATE VIREO_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    target_link_libraries(${name}_test PRIVATE vireo_${name} GTest::gtest GTest::gtest_main)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()
endfunction()
