// Sentences and escapes.
#include "cli/tree/sentences.hpp"

namespace vireo::cli::tree {
namespace {

// Bytes of the character of UTF-8 at the beginning of the text; 0: there is none (RFC 3629).
std::size_t character(std::string_view text) {
  const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  const auto first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80) return 0;
  // Not the shortest form, a surrogate, beyond the last character.
  if ((first == 0xe0 && byte(1) < 0xa0) || (first == 0xed && byte(1) > 0x9f) || (first == 0xf0 && byte(1) < 0x90) ||
      (first == 0xf4 && byte(1) > 0x8f))
    return 0;
  return length;
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

std::string sentence(std::string_view refusal, std::string_view verb, const std::string& path) {
  const bool changes = verb == "set" || verb == "rm";
  if (refusal == "ENOENT") return fmt::format("no node '{}'", verb == "rm" ? parent_of(path) : path);
  if (refusal == "EINVAL" && verb == "rm" && path == "/")
    return "the root cannot be removed; name what is below it ('vireo tree ls /' lists it)";
  if (refusal == "EINVAL")
    return fmt::format(
        "'{}' is no path: it begins with '/', its parts are letters, digits and -_@, no part is empty, and it has at "
        "most 3072 bytes",
        path);
  if (refusal == "EROFS")
    return fmt::format(
        "'{}' belongs to a running guest; vireod alone writes it. Change the guest with virsh, or write what the guest "
        "takes as a request, such as control/shutdown",
        path);
  if (refusal == "EACCES" || refusal == "EPERM")
    return fmt::format("'{}' may not be {} by this client; its permissions ('vireo tree ls --long {}') say by whom",
                       path, changes ? "changed" : "read", path);
  if (refusal == "ENOSPC")
    return fmt::format(
        "'{}' would pass a limit of the tree: of nodes, of a node's size, of watches, or of what one transaction may "
        "touch; remove what is not needed, or take smaller steps",
        path);
  if (refusal == "E2BIG") return fmt::format("'{}': path and value together are too long", path);
  if (refusal == "EIO")
    return fmt::format("'{}' cannot be {}: vireod's disk fails; its log says more", path, changes ? "saved" : "read");
  return fmt::format("'{} {}': the tree refuses it ({})", verb, path, refusal);
}

}  // namespace

std::unexpected<Error> refused(std::string_view refusal, std::string_view verb, const std::string& path) {
  return fail(VIR_ERR_SYSTEM_ERROR, sentence(refusal, verb, path));
}

std::string on_one_line(std::string_view value) {
  std::string out;
  while (!value.empty()) {
    auto length = character(value);
    const auto byte = static_cast<unsigned char>(value.front());
    // Terminals obey the controls from U+0080 on, too.
    const bool high_control = value.front() == '\xc2' && length == 2 && static_cast<unsigned char>(value[1]) < 0xa0;
    if (byte == '\n')
      out += "\\n";
    else if (byte == '\t')
      out += "\\t";
    else if (byte == '\\')
      out += "\\\\";
    else if (length == 0 || byte < ' ' || byte == 0x7f || high_control)
      out += fmt::format("\\x{:02x}", byte), length = 1;
    else
      out += value.substr(0, length);
    value.remove_prefix(length);
  }
  return out;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = character(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace vireo::cli::tree
