// What a fuzzer says when a promise is broken: the promise, then an abort, which libFuzzer reports with the input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace vireo::fuzz {

inline void expect(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", promise);
  std::abort();
}

// The input as text.
inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return size == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data), size);
}

}  // namespace vireo::fuzz
