// QMP's framing: one JSON object to a line. Bytes come in as the socket gives them; whole lines come out. Pure.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace vireo::qmp {

namespace json = boost::json;

// A line longer than this is no answer that QEMU gives: whoever sends it is not to be listened to.
inline constexpr std::size_t kLineLimit = std::size_t{16} << 20;

class LineReader {
 public:
  explicit LineReader(std::size_t line_limit = kLineLimit) : limit_(line_limit) {}

  void append(std::string_view bytes);
  // The next whole line, without its end; empty while there is none. The view holds until the next append(). Error: the
  // line is longer than the limit.
  Result<std::optional<std::string_view>> next();

 private:
  std::size_t limit_;
  std::string buffer_;
  std::size_t start_ = 0;    // where the unread line begins
  std::size_t scanned_ = 0;  // no line end before this
};

// One line as a JSON object, up to 256 levels deep (a long backing chain nests deeper than a parser's usual limit). Of
// a key given twice the last one counts. Error: VIR_ERR_INTERNAL_ERROR showing how the line begins.
Result<json::object> parse_object(std::string_view line);

}  // namespace vireo::qmp
