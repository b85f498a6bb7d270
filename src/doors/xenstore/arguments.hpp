// A request's payload taken apart: strings that each end with a zero byte, and numbers in them. Pure.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "tree/permissions.hpp"

namespace vireo::doors::xenstore {

// Of "a|" the a; nothing of a payload that is not exactly one string.
inline std::optional<std::string_view> only_string(std::string_view payload) {
  if (payload.empty() || payload.find('\0') != payload.size() - 1) return std::nullopt;
  return payload.substr(0, payload.size() - 1);
}

// The strings of a payload one after the other; what follows the last zero byte is left.
class Strings {
 public:
  explicit Strings(std::string_view payload) : left_(payload) {}

  // Nothing: no more is there.
  std::optional<std::string_view> next() {
    const auto end = left_.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    const auto string = left_.substr(0, end);
    left_.remove_prefix(end + 1);
    return string;
  }
  bool done() const { return left_.find('\0') == std::string_view::npos; }
  std::string_view left() const { return left_; }

 private:
  std::string_view left_;
};

// A decimal number and nothing else.
template <class Number = std::uint32_t>
std::optional<Number> number_of(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

inline std::optional<tree::DomainId> domain_of(std::string_view text) { return number_of<tree::DomainId>(text); }

}  // namespace vireo::doors::xenstore
