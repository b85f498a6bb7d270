// Writing and reading monitors' sockets, without a loop of events: all answers are waited for, so their order is no
// matter. See stats_floor.hpp.
#include "stats_floor.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <optional>
#include <string_view>

namespace vireo::bench {
namespace {

constexpr int rounds = 300;

Result<void> say(const BareQemu& qemu, const std::string& command) {
  if (::send(qemu.monitor.get(), command.data(), command.size(), MSG_NOSIGNAL) < 0)
    return fail_errno(errno, "cannot write to QEMU's monitor");
  return {};
}

// One line, of which the first `keep` bytes are kept and the length is given.
struct Answer {
  std::size_t length = 0;
  bool refused = false;
};
Result<Answer> hear(const BareQemu& qemu) {
  static thread_local std::vector<char> room(std::size_t{1} << 16);
  Answer answer;
  for (;;) {
    const auto n = ::recv(qemu.monitor.get(), room.data(), room.size(), 0);
    if (n <= 0) return fail_errno(n < 0 ? errno : EPIPE, "waiting for QEMU's answer");
    const std::string_view got(room.data(), static_cast<std::size_t>(n));
    if (answer.length == 0) answer.refused = !got.starts_with("{\"return\"");
    answer.length += got.size();
    if (got.ends_with('\n')) return answer;
  }
}

std::optional<double> processor_us(const BareQemu& qemu) {
  clockid_t clock = 0;
  timespec time{};
  if (::clock_getcpuclockid(qemu.pid, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return std::nullopt;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

Result<Clock::duration> ask_all(const std::vector<BareQemu>& qemus, const std::string& command) {
  const auto begun = Clock::now();
  for (const auto& qemu : qemus)
    if (auto said = say(qemu, command); !said) return pass_on(said);
  for (const auto& qemu : qemus)
    if (auto heard = hear(qemu); !heard) return pass_on(heard);
  return Clock::now() - begun;
}

Result<CommandCost> cost_of(const BareQemu& qemu, const std::string& command) {
  CommandCost out;
  Series each;
  const auto before = processor_us(qemu);
  for (int i = 0; i < rounds; ++i) {
    const auto begun = Clock::now();
    if (auto said = say(qemu, command); !said) return pass_on(said);
    auto heard = hear(qemu);
    if (!heard) return pass_on(heard);
    each.add(Clock::now() - begun);
    out.answer_bytes = heard->length;
    out.refused = heard->refused;
  }
  const auto after = processor_us(qemu);
  if (!before || !after) return fail(VIR_ERR_INTERNAL_ERROR, "QEMU has ended");
  out.qemu_us = (*after - *before) / rounds;
  out.round_trip_us = each.median_us().value_or(0);
  return out;
}

}  // namespace vireo::bench
