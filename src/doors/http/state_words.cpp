// The words, by libvirt's numbers (libvirt/libvirt-domain.h).
#include "doors/http/state_words.hpp"

#include <libvirt/libvirt.h>

namespace vireo::doors::http {
namespace {

constexpr std::array<std::string_view, VIR_DOMAIN_PMSUSPENDED + 1> states{
    "nostate", "running", "blocked", "paused", "shutdown", "shutoff", "crashed", "pmsuspended"};

constexpr std::array<std::string_view, VIR_DOMAIN_RUNNING_POSTCOPY_FAILED + 1> running{
    "unknown",       "booted", "migrated", "restored", "from_snapshot",  "unpaused", "migration_canceled",
    "save_canceled", "wakeup", "crashed",  "postcopy", "postcopy_failed"};

constexpr std::array<std::string_view, VIR_DOMAIN_PAUSED_POSTCOPY_FAILED + 1> paused{
    "unknown",       "user",          "migration", "save",    "dump",        "ioerror",  "watchdog",
    "from_snapshot", "shutting_down", "snapshot",  "crashed", "starting_up", "postcopy", "postcopy_failed"};

constexpr std::array<std::string_view, VIR_DOMAIN_SHUTOFF_DAEMON + 1> shutoff{
    "unknown", "shutdown", "destroyed", "crashed", "migrated", "saved", "failed", "from_snapshot", "daemon"};

constexpr std::array<std::string_view, VIR_DOMAIN_SHUTDOWN_USER + 1> shutdown{"unknown", "user"};
constexpr std::array<std::string_view, VIR_DOMAIN_CRASHED_PANICKED + 1> crashed{"unknown", "panicked"};

std::string_view word(std::span<const std::string_view> words, int number) {
  return number >= 0 && std::cmp_less(number, words.size()) ? words[static_cast<std::size_t>(number)] : "unknown";
}

}  // namespace

std::string_view state_word(int state) { return word(states, state); }

std::string_view reason_word(int state, int reason) {
  switch (state) {
    case VIR_DOMAIN_RUNNING:
      return word(running, reason);
    case VIR_DOMAIN_PAUSED:
      return word(paused, reason);
    case VIR_DOMAIN_SHUTDOWN:
      return word(shutdown, reason);
    case VIR_DOMAIN_SHUTOFF:
      return word(shutoff, reason);
    case VIR_DOMAIN_CRASHED:
      return word(crashed, reason);
    default:
      return "unknown";
  }
}

}  // namespace vireo::doors::http
