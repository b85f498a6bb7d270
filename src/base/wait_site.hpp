// Every place where anything waits, by the line of the program that waits and by who was in the way: what `vireo
// contention` reports. A site costs nothing while nobody waits there; a wait costs two readings of the clock, which its
// owner takes anyhow, a look in a table and three relaxed additions. Any thread.
//
// Names of kinds, things and holders are a bounded set of words of the program: never a guest's name.
#pragma once

#include <array>
#include <cstddef>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "base/wait_stats.hpp"

namespace vireo {

class WaitSite {
 public:
  // The site for this kind of wait ("lane"), what is waited for ("guest") and the line that waits: one object for the
  // same three, which lives as long as the process.
  static WaitSite& at(const char* kind, std::string_view what, std::source_location where);

  WaitSite(const char* kind, std::string_view what, std::source_location where)
      : kind_(kind), what_(what), where_(where) {}
  WaitSite(const WaitSite&) = delete;
  WaitSite& operator=(const WaitSite&) = delete;

  // `holder`: who had what was waited for, a string that lives as long as the process; null: nobody known. One site
  // tells `known_holders` apart, and adds the others up as "others".
  void add(std::chrono::nanoseconds waited, const char* holder = nullptr);

 private:
  friend struct WaitReport;
  static constexpr std::size_t known_holders = 12;
  struct ByHolder {
    std::atomic<const char*> holder{nullptr};
    WaitStats stats;
  };

  const char* const kind_;
  const std::string what_;
  const std::source_location where_;
  WaitStats without_holder_, others_;
  std::array<ByHolder, known_holders> by_holder_;
};

// What one line of the program waited for, while one holder was in the way.
struct WaitRow {
  std::string kind, what;
  std::string function, file;  // "core::start", "src/core/verbs/start.cpp"
  unsigned line = 0;
  std::string holder;  // empty: not known
  std::uint64_t count = 0, total_ns = 0, max_ns = 0;
};

struct WaitReport {
  // Everything that waited since the process began or since the last reset, most total first.
  static std::vector<WaitRow> take();
  static void reset();
};

// "vireo::Result<int> vireo::core::start(Host &, int) [T = int]" is "core::start". Pure.
std::string short_function_name(std::string_view signature);

}  // namespace vireo
