// Laying XML out as libvirt does.
#include "xml/writer.hpp"

#include "base/escape.hpp"

namespace vireo::xml {
void Writer::end_tag_if_open() {
  if (tag_open_) out_ += ">\n";
  tag_open_ = false;
}

void Writer::open(std::string_view name) {
  end_tag_if_open();
  out_.append(static_cast<std::size_t>(depth_) * 2, ' ');
  out_ += '<';
  out_ += name;
  tag_open_ = true;
  ++depth_;
}

void Writer::close(std::string_view name) {
  --depth_;
  if (tag_open_) {
    out_ += "/>\n";
    tag_open_ = false;
    return;
  }
  if (!after_text_) out_.append(static_cast<std::size_t>(depth_) * 2, ' ');
  after_text_ = false;
  out_ += "</";
  out_ += name;
  out_ += ">\n";
}

void Writer::verbatim(std::string_view xml) {
  end_tag_if_open();
  out_ += xml;
}

void Writer::put(std::string_view name, std::string_view value) {
  out_ += ' ';
  out_ += name;
  out_ += "='";
  out_ += escaped(value);
  out_ += '\'';
}

void Writer::attr(std::string_view name, std::string_view value) {
  if (!value.empty()) put(name, value);
}

void Writer::text(std::string_view value) {
  if (value.empty()) return;
  if (tag_open_) out_ += '>';
  tag_open_ = false;
  out_ += escaped(value);
  after_text_ = true;
}

void Writer::text_child(std::string_view name, std::string_view value) {
  if (value.empty()) return;
  open(name);
  text(value);
  close(name);
}

void Writer::flag(std::string_view name, bool value) {
  if (!value) return;
  open(name);
  close(name);
}

}  // namespace vireo::xml
