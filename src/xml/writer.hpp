// The writing half of the two-way bindings: the same calls as Reader, and what comes out is XML in libvirt's style (two
// spaces, single quotes, <x/> for what is empty). Attributes must be written before children. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/names.hpp"

namespace vireo::xml {

class Writer {
 public:
  static constexpr bool reading = false;

  // `live`: write what belongs to running guests too: id, aliases, chosen ports and terminals.
  explicit Writer(bool live) : live_(live) {}

  bool live() const { return live_; }
  const std::string& result() const { return out_; }

  void open(std::string_view name);
  void close(std::string_view name);
  // Text that is XML already, on lines of its own.
  void verbatim(std::string_view xml);
  int depth() const { return depth_; }

  void attr(std::string_view name, std::string_view value);  // nothing if empty
  template <class Number>
  void number(std::string_view name, const Number& value) {
    put(name, fmt::format("{}", value));
  }
  template <class Number>
  void number(std::string_view name, const std::optional<Number>& value) {
    if (value) number(name, *value);
  }
  void hex(std::string_view name, unsigned value, int digits) { put(name, fmt::format("0x{:0{}x}", value, digits)); }
  template <class Enum>
  void word(std::string_view name, Enum value, std::string_view = {}) {
    attr(name, model::name_of(value));
  }
  void yes_no(std::string_view name, std::optional<bool> value) {
    if (value) put(name, *value ? "yes" : "no");
  }
  void on_off(std::string_view name, std::optional<bool> value) {
    if (value) put(name, *value ? "on" : "off");
  }
  void constant(std::string_view name, std::string_view value, bool = true) { put(name, value); }

  void text(std::string_view value);
  void text_number(std::uint64_t value) { text(fmt::format("{}", value)); }
  void text_child(std::string_view name, std::string_view value);  // nothing if empty
  void flag(std::string_view name, bool value);
  template <class Bind>
  bool child(std::string_view name, bool present, Bind bind) {
    if (!present) return false;
    open(name);
    bind(*this);
    close(name);
    return true;
  }
  template <class T, class Bind>
  void list(std::string_view name, const std::vector<T>& values, Bind bind) {
    for (const T& value : values) {
      open(name);
      bind(*this, value);
      close(name);
    }
  }

 private:
  void put(std::string_view name, std::string_view value);
  void end_tag_if_open();

  bool live_;
  std::string out_;
  int depth_ = 0;
  bool tag_open_ = false;    // "<name attributes…" stands without its '>'
  bool after_text_ = false;  // the element holds text: its end tag follows on the same line
};

}  // namespace vireo::xml
