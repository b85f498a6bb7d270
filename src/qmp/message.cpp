// Cutting lines and reading JSON, both within limits.
#include "qmp/message.hpp"

namespace vireo::qmp {

namespace {
constexpr std::size_t kMaxDepth = 256;
constexpr std::size_t kKeptRoom = std::size_t{1} << 20;
constexpr std::size_t kShownOfGarbage = 80;
constexpr std::string_view kAnswer = "{\"return\"";

// What came may be anything; what is shown of it must be printable wherever it is shown.
std::string shown(std::string_view line) {
  std::string text(line.substr(0, kShownOfGarbage));
  for (char& c : text)
    if (c < ' ' || c > '~') c = '?';
  return line.size() > kShownOfGarbage ? text + "..." : text;
}

}  // namespace

void LineReader::append(std::string_view bytes) {
  if (start_ > 0) {
    buffer_.erase(0, start_);
    scanned_ -= start_;
    start_ = 0;
    // One long answer must not cost its room for ever.
    if (buffer_.empty() && buffer_.capacity() > kKeptRoom) buffer_.shrink_to_fit();
  }
  buffer_.append(bytes);
}

Result<std::optional<std::string_view>> LineReader::next() {
  const auto end = buffer_.find('\n', scanned_);
  const auto length = (end == std::string::npos ? buffer_.size() : end) - start_;
  if (length > limit_)
    return fail(VIR_ERR_INTERNAL_ERROR, "the monitor sent a line of more than " + std::to_string(limit_) + " bytes");
  if (end == std::string::npos) {
    scanned_ = buffer_.size();
    return std::nullopt;
  }
  std::string_view line(buffer_.data() + start_, length);
  start_ = scanned_ = end + 1;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Result<json::object> parse_object(std::string_view line) {
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  // An answer is read and dropped as a whole: its values lie together instead of each in a piece of memory of its own.
  // They take a few times the room of the text.
  json::storage_ptr storage;
  if (line.starts_with(kAnswer)) storage = json::make_shared_resource<json::monotonic_resource>(line.size() * 3);
  auto value = json::parse(line, error, std::move(storage), options);
  if (!error && value.is_object()) return std::move(value.as_object());
  return fail(VIR_ERR_INTERNAL_ERROR,
              "cannot parse JSON object '" + shown(line) + "'" + (error ? ": " + error.message() : ""));
}

}  // namespace vireo::qmp
