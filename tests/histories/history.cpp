// Histories as people read them.
#include "tests/histories/history.hpp"

namespace vireo::tests {
namespace {

constexpr const char* kinds[] = {"define",    "create",  "start",  "destroy",     "undefine",
                                 "rename",    "suspend", "resume", "lookup uuid", "lookup name",
                                 "lookup id", "list",    "death",  "undo",        "nothing"};
constexpr const char* answers[] = {"ok", "clash", "refused", "no domain", "failed", "unknown"};

std::string one(const GuestState& guest) {
  if (!guest.exists()) return "-";
  return fmt::format("{}{}{}", static_cast<char>('a' + guest.name), guest.persistent ? "" : " transient",
                     guest.active() ? fmt::format(" id {}", guest.id) : "");
}

}  // namespace

std::string describe(const HostState& state) {
  std::string text;
  for (int i = 0; i < guests; ++i)
    text += fmt::format("{}u{}: {}", i == 0 ? "" : ", ", i, one(state.at(static_cast<std::size_t>(i))));
  return text;
}

std::string describe(const Call& call) {
  std::string text = fmt::format("[{:>4} {:>4}] {}", call.began, call.ended, kinds[static_cast<int>(call.kind)]);
  switch (call.kind) {
    case Kind::Define:
    case Kind::Create:
    case Kind::Rename:
      text += fmt::format(" u{} {}", call.guest, static_cast<char>('a' + call.name));
      break;
    case Kind::LookupName:
      text += fmt::format(" {}", static_cast<char>('a' + call.name));
      break;
    case Kind::LookupId:
      text += fmt::format(" {}", call.id);
      break;
    case Kind::List:
      return text + ": " + describe(call.seen);
    default:
      text += fmt::format(" u{}", call.guest);
  }
  text += fmt::format(": {}", answers[static_cast<int>(call.answer)]);
  if (call.found) text += fmt::format(" u{} {}", call.guest, one(*call.found));
  if (call.id >= 0 && call.kind != Kind::LookupId) text += fmt::format(", id {}", call.id);
  if (!call.said.empty()) text += " (" + call.said + ")";
  return text;
}

}  // namespace vireo::tests
