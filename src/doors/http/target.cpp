// Splitting at slashes first and decoding after, so that what is encoded never separates.
#include "doors/http/target.hpp"

namespace vireo::doors::http {
namespace {

std::optional<int> hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

Result<std::string> decode(std::string_view part) {
  std::string out;
  for (std::size_t i = 0; i < part.size(); ++i) {
    char c = part[i];
    if (c == '%') {
      const auto high = i + 2 < part.size() ? hex_digit(part[i + 1]) : std::nullopt;
      const auto low = high ? hex_digit(part[i + 2]) : std::nullopt;
      if (!low) return fail(VIR_ERR_INVALID_ARG, "the path has a % that two hexadecimal digits do not follow");
      c = static_cast<char>((*high * 16) + *low);
      i += 2;
    }
    const auto code = static_cast<unsigned char>(c);
    if (code < ' ' || code == 0x7f) return fail(VIR_ERR_INVALID_ARG, "the path has a control character");
    out += c;
  }
  return out;
}

}  // namespace

Result<std::vector<std::string>> parse_target(std::string_view target) {
  if (!target.starts_with('/')) return fail(VIR_ERR_INVALID_ARG, "the path does not begin with a slash");
  if (target.find('?') != std::string_view::npos)
    return fail(VIR_ERR_INVALID_ARG, "the path has a query, and there is no parameter to give here");
  std::vector<std::string> parts;
  while (!target.empty()) {
    target.remove_prefix(1);
    const auto slash = std::min(target.find('/'), target.size());
    auto part = decode(target.substr(0, slash));
    if (!part) return pass_on(part);
    parts.push_back(std::move(*part));
    target.remove_prefix(slash);
  }
  return parts;
}

}  // namespace vireo::doors::http
