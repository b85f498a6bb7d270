// Typed parameters: named values of a few kinds, which is how libvirt's protocol tells of statistics.
#pragma once

#include <libvirt/libvirt.h>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace vireo::core {

// A typed parameter; the alternatives are those of virTypedParameterType, in its order.
struct Param {
  std::string name;
  std::variant<std::int32_t, std::uint32_t, std::int64_t, std::uint64_t, double, bool, std::string> value;

  bool operator==(const Param&) const = default;
};

// A list of them in the making.
class Params {
 public:
  template <class T>
  void put(std::string name, T value) {
    // A client refuses a whole answer for one name that is too long; only QEMU's own names can be.
    if (name.size() < VIR_TYPED_PARAM_FIELD_LENGTH) list_.push_back({std::move(name), std::move(value)});
  }
  void number(std::string name, std::uint64_t value) { put(std::move(name), value); }
  void number(std::string name, const std::optional<std::uint64_t>& value) {
    if (value) put(std::move(name), *value);
  }
  void reserve(std::size_t count) { list_.reserve(count); }
  std::vector<Param> finish() { return std::move(list_); }

 private:
  std::vector<Param> list_;
};

}  // namespace vireo::core
