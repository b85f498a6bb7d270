// XDR (RFC 4506) by reflection: encodes and decodes the protocol's plain structs field by field, so that no structure
// has code of its own. Decoding never allocates more than the bytes that are there, whatever a length word claims.
// As libvirt does, any non-zero flag means "present" and padding may hold anything. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <boost/pfr/core.hpp>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include "base/error.hpp"
#include "doors/libvirt/xdr_types.hpp"

namespace vireo::doors::libvirt {

// Stands where a procedure has no arguments or no reply.
struct Nothing {};

namespace xdr {

using Bytes = std::vector<std::byte>;

namespace detail {

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_list = false;
template <class T, std::size_t Max>
inline constexpr bool is_list<List<T, Max>> = true;
template <class T>
inline constexpr bool is_opaque = false;
template <std::size_t Max>
inline constexpr bool is_opaque<Opaque<Max>> = true;
template <class T>
inline constexpr bool is_array = false;
template <class T, std::size_t N>
inline constexpr bool is_array<std::array<T, N>> = true;
template <class T>
inline constexpr bool is_variant = false;
template <class... T>
inline constexpr bool is_variant<std::variant<T...>> = true;

}  // namespace detail

// Appends values to a buffer.
class Encoder {
 public:
  explicit Encoder(Bytes& out) : out_(out) {}

  // False once a value was longer than the protocol allows; what was written is then of no use.
  bool ok() const { return ok_; }

  void word(std::uint32_t v) {
    const std::uint32_t big = __builtin_bswap32(v);
    append(&big, sizeof big);
  }
  void opaque(const void* data, std::size_t size) {
    static constexpr std::byte zeros[4]{};
    append(data, size);
    append(zeros, (4 - size % 4) % 4);
  }

  template <class T>
  void value(const T& v) {
    using namespace detail;
    if constexpr (std::is_same_v<T, Nothing>) {
    } else if constexpr (std::is_same_v<T, double>) {
      value(std::bit_cast<std::uint64_t>(v));
    } else if constexpr (std::is_enum_v<T>) {
      word(static_cast<std::uint32_t>(v));
    } else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) {
      word(static_cast<std::uint32_t>(static_cast<std::uint64_t>(v) >> 32));
      word(static_cast<std::uint32_t>(v));
    } else if constexpr (std::is_integral_v<T>) {
      word(static_cast<std::uint32_t>(static_cast<std::int64_t>(v)));
    } else if constexpr (std::is_same_v<T, std::string>) {
      counted(v.data(), v.size(), string_max);
    } else if constexpr (is_opaque<T>) {
      counted(v.data(), v.size(), T::max);
    } else if constexpr (is_optional<T>) {
      word(v.has_value());
      if (v) value(*v);
    } else if constexpr (is_list<T>) {
      ok_ = ok_ && v.size() <= T::max;
      word(static_cast<std::uint32_t>(v.size()));
      for (const auto& element : v) value(element);
    } else if constexpr (is_array<T>) {
      if constexpr (std::is_same_v<typename T::value_type, std::uint8_t>)
        opaque(v.data(), v.size());
      else
        for (const auto& element : v) value(element);
    } else if constexpr (is_variant<T>) {
      word(static_cast<std::uint32_t>(v.index() + 1));
      std::visit([this](const auto& chosen) { this->value(chosen); }, v);
    } else {
      boost::pfr::for_each_field(v, [this](const auto& field) { this->value(field); });
    }
  }

 private:
  void append(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::byte*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
  }
  void counted(const void* data, std::size_t size, std::size_t max) {
    ok_ = ok_ && size <= max;
    if (!ok_) return;
    word(static_cast<std::uint32_t>(size));
    opaque(data, size);
  }

  Bytes& out_;
  bool ok_ = true;
};

// Takes values off a byte string. After the first failure every further value fails.
class Decoder {
 public:
  explicit Decoder(std::span<const std::byte> in) : in_(in) {}

  bool ok() const { return problem_ == nullptr; }
  // What was wrong first, or null.
  const char* problem() const { return problem_; }
  std::size_t left() const { return in_.size(); }

  std::uint32_t word() {
    std::uint32_t big = 0;
    take(&big, sizeof big);
    return __builtin_bswap32(big);
  }

  template <class T>
  void value(T& v) {
    using namespace detail;
    if constexpr (std::is_same_v<T, Nothing>) {
    } else if constexpr (std::is_same_v<T, bool>) {
      v = word() != 0;
    } else if constexpr (std::is_same_v<T, double>) {
      std::uint64_t bits = 0;
      value(bits);
      v = std::bit_cast<double>(bits);
    } else if constexpr (std::is_enum_v<T> || (std::is_integral_v<T> && sizeof(T) < 8)) {
      v = static_cast<T>(word());
    } else if constexpr (std::is_integral_v<T>) {
      const std::uint64_t high = word();
      v = static_cast<T>(high << 32 | word());
    } else if constexpr (std::is_same_v<T, std::string>) {
      const auto bytes = counted(string_max);
      v.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    } else if constexpr (is_opaque<T>) {
      const auto bytes = counted(T::max);
      v.assign(bytes.begin(), bytes.end());
    } else if constexpr (is_optional<T>) {
      if (word() != 0 && ok()) value(v.emplace());
    } else if constexpr (is_list<T>) {
      list(v);
    } else if constexpr (is_array<T>) {
      if constexpr (std::is_same_v<typename T::value_type, std::uint8_t>)
        fixed(v);
      else
        for (auto& element : v) value(element);
    } else if constexpr (is_variant<T>) {
      choice(v, word(), std::make_index_sequence<std::variant_size_v<T>>{});
    } else {
      boost::pfr::for_each_field(v, [this](auto& field) { this->value(field); });
    }
  }

 private:
  void fail(const char* problem) {
    if (ok()) problem_ = problem;
    in_ = {};
  }
  void take(void* to, std::size_t size) {
    if (in_.size() < size) return fail("truncated");
    std::memcpy(to, in_.data(), size);
    in_ = in_.subspan(size);
  }
  std::span<const std::byte> counted(std::size_t max) {
    const std::size_t size = word();
    if (size > max) return fail("longer than its bound"), std::span<const std::byte>{};
    const std::size_t padded = (size + 3) / 4 * 4;
    if (padded > in_.size()) return fail("truncated"), std::span<const std::byte>{};
    const auto bytes = in_.first(size);
    in_ = in_.subspan(padded);
    return bytes;
  }
  template <std::size_t N>
  void fixed(std::array<std::uint8_t, N>& v) {
    static_assert(N % 4 == 0);
    take(v.data(), N);
  }
  template <class T, std::size_t Max>
  void list(List<T, Max>& v) {
    const std::size_t count = word();
    if (count > Max) return fail("longer than its bound");
    // Every element takes at least one word.
    if (count > in_.size() / 4) return fail("truncated");
    v.reserve(std::min(count, in_.size() / sizeof(T) + 1));
    for (std::size_t i = 0; i < count && ok(); ++i) value(v.emplace_back());
  }
  template <class V, std::size_t... I>
  void choice(V& v, std::uint32_t number, std::index_sequence<I...>) {
    const bool known = ((number == I + 1 && (value(v.template emplace<I>()), true)) || ...);
    if (!known) fail("unknown kind of value");
  }

  std::span<const std::byte> in_;
  const char* problem_ = nullptr;
};

// Error: VIR_ERR_RPC "Unable to encode message payload" when something is longer than the protocol allows.
template <class T>
Result<Bytes> encode(const T& v) {
  Bytes out;
  Encoder encoder(out);
  encoder.value(v);
  if (!encoder.ok()) return fail_from(VIR_FROM_RPC, VIR_ERR_RPC, "Unable to encode message payload");
  return out;
}

// Error: VIR_ERR_RPC "Unable to decode message payload", as libvirt says it, when the bytes are too few, too many, or
// break a bound.
template <class T>
Result<T> decode(std::span<const std::byte> in) {
  T v{};
  Decoder decoder(in);
  decoder.value(v);
  if (!decoder.ok() || decoder.left() != 0)
    return fail_from(VIR_FROM_RPC, VIR_ERR_RPC, "Unable to decode message payload");
  return v;
}

}  // namespace xdr
}  // namespace vireo::doors::libvirt
