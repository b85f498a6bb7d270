// A definition's whole way with anything in it: XML, value, XML, completion, aliases, command line. What a client can
// send must be refused or understood, and what was understood must come back the same.
#include "qemu/argv.hpp"
#include "qemu/complete.hpp"
#include "tests/fixtures/debian_12_qemu.hpp"
#include "tests/fuzz/expect.hpp"
#include "xml/domain.hpp"

using namespace vireo;
using fuzz::expect;

namespace {

const qemu::Capabilities& capabilities() {
  static const auto caps = tests::debian_12_qemu();
  return caps;
}

// Reads what is written, which must be possible.
model::DomainDef read_back(const std::string& text, xml::ParseOptions parse) {
  auto again = xml::parse_domain(text, parse);
  if (!again) std::fprintf(stderr, "%s\n%s\n", text.c_str(), again.error().detail.c_str());
  expect(again.has_value(), "what Vireo writes it also reads");
  return std::move(*again);
}

// A client's definition may say what means nothing (how long a menu is shown that is not); what is written of it once
// is written always.
void expect_stable(const model::DomainDef& def, xml::FormatOptions format, xml::ParseOptions parse) {
  const auto text = xml::format_domain(def, format);
  const auto again = xml::format_domain(read_back(text, parse), format);
  if (again != text) std::fprintf(stderr, "%s\nis read as\n%s\n", text.c_str(), again.c_str());
  expect(again == text, "what is written is written again");
}

// What Vireo stores and runs is the same value after its XML.
void expect_survives(const model::DomainDef& def, xml::FormatOptions format, xml::ParseOptions parse,
                     const char* promise) {
  const auto text = xml::format_domain(def, format);
  const auto again = read_back(text, parse);
  if (again != def) std::fprintf(stderr, "%s\nis read as\n%s\n", text.c_str(), xml::format_domain(again).c_str());
  expect(again == def, promise);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto text = fuzz::text_of(data, size);
  if (const auto live = xml::parse_domain(text, {.live = true})) expect_stable(*live, {}, {.live = true});

  const auto def = xml::parse_domain(text);
  if (!def) {
    expect(def.error().code != VIR_ERR_OK, "a refusal has a code");
    return 0;
  }
  expect_stable(*def, {.inactive = true}, {});

  const auto completed = qemu::complete(*def, capabilities());
  if (!completed) return 0;
  const auto twice = qemu::complete(*completed, capabilities());
  if (!twice) std::fprintf(stderr, "%s\n", twice.error().detail.c_str());
  expect(twice.has_value(), "a completed definition can be completed");
  if (*twice != *completed)
    std::fprintf(stderr, "%s\nbecomes\n%s\n", xml::format_domain(*completed).c_str(),
                 xml::format_domain(*twice).c_str());
  expect(*twice == *completed, "completing twice changes nothing");
  expect_survives(*completed, {.inactive = true}, {}, "a completed definition survives its XML");

  const auto running = qemu::assign_aliases(*completed, "/run/vireo/channel");
  expect_survives(running, {}, {.live = true}, "a running guest's definition survives its XML");
  const std::vector<int> tap_fds(running.devices.interfaces.size(), 4);
  const auto argv = qemu::build_argv(running, {.monitor_fd = 3, .tap_fds = tap_fds});
  expect(!argv.empty() && argv.front() == running.devices.emulator, "the command line begins with the emulator");
  for (const auto& word : argv) expect(!word.contains('\0'), "no word of the command line is cut short");
  return 0;
}
