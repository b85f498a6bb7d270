# Tells ccache what the precompiled header is made of. The compiled header itself holds the checkout's path, so two
# checkouts never have the same one; the sum written beside it (ccache's pch_external_checksum) is of what really
# matters: the header's text, the flags, and the versions of the packages that it draws on. Run before every build,
# writes only when something has changed.
#
#   cmake -DHEADER=… -DFLAGS=… -DSUM=… -P cmake/pch_sum.cmake
file(SHA256 ${HEADER} text)
execute_process(
  COMMAND dpkg-query -W clang-19 libboost1.81-dev libfmt-dev libstdc++-12-dev libc6-dev
  OUTPUT_VARIABLE packages ERROR_VARIABLE packages)
string(SHA256 sum "${text} ${FLAGS} ${packages}")
set(old "")
if(EXISTS ${SUM})
  file(READ ${SUM} old)
endif()
if(NOT old STREQUAL sum)
  file(WRITE ${SUM} ${sum})
endif()
