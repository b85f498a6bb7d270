// What QEMU answers to the questions of the statistics, with anything in it. The first byte chooses the question, the
// rest is the answer; the others are not there. Whatever comes, a client can make sense of the record.
#include "qmp/message.hpp"
#include "tests/fixtures/figures.hpp"
#include "tests/fuzz/expect.hpp"

using namespace vireo;
using fuzz::expect;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static constexpr const char* commands[] = {"query-blockstats", "query-named-block-nodes", "qom-get",
                                             "query-dirty-rate"};
  // Answers of KVM make sense together only, so they come as three members of one object.
  static constexpr const char* of_kvm[] = {"query-stats-schemas", "query-stats vm", "query-stats vcpu"};
  if (size < 2) return 0;
  // As the monitor reads a line.
  auto line = qmp::parse_object("{\"return\":" + std::string(fuzz::text_of(data + 1, size - 1)) + "}");
  if (!line) return 0;
  const auto* answer = line->if_contains("return");
  if (!answer) return 0;
  tests::Answers answers;
  const auto which = data[0] % (std::size(commands) + 1);
  if (which < std::size(commands)) {
    answers.emplace(commands[which], *answer);
  } else if (const auto* kvm = answer->if_object()) {
    for (const auto* command : of_kvm)
      if (const auto* part = kvm->if_contains(command)) answers.emplace(command, *part);
  }
  const auto wrong = tests::what_is_wrong_with(tests::record_of(answers));
  expect(wrong.empty(), wrong.c_str());
  return 0;
}
