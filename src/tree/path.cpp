// What is a path and what is not.
#include "tree/path.hpp"

#include <array>

namespace vireo::tree {

namespace {

constexpr auto allowed = [] {
  std::array<bool, 256> out{};
  for (unsigned char c = 'a'; c <= 'z'; ++c) out[c] = true;
  for (unsigned char c = 'A'; c <= 'Z'; ++c) out[c] = true;
  for (unsigned char c = '0'; c <= '9'; ++c) out[c] = true;
  for (const unsigned char c : {'-', '/', '_', '@'}) out[c] = true;
  return out;
}();

}  // namespace

std::optional<Path> Path::parse(std::string_view text) {
  if (text.empty() || text.size() > max_path || text.front() != '/') return {};
  if (text.size() == 1) return Path(text);
  if (text.back() == '/') return {};
  char before = 0;
  for (const char c : text) {
    if (!allowed[static_cast<unsigned char>(c)] || (c == '/' && before == '/')) return {};
    before = c;
  }
  return Path(text);
}

}  // namespace vireo::tree
