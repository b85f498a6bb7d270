// A history: what clients asked of a host and what they were answered, with the moments of both. Plain values, written
// down by the driver and judged by the checker, which knows nothing of the core.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace vireo::tests {

// Few, so that clashes are frequent.
inline constexpr int guests = 3;
inline constexpr int names = 3;
inline constexpr int no_id = -1;       // not running
inline constexpr int unknown_id = -2;  // runs, with an id that nobody has seen yet

// What is known of one guest, which is one UUID.
struct GuestState {
  int name = -1;  // -1: there is no such guest
  bool persistent = false;
  int id = no_id;

  bool exists() const { return name >= 0; }
  bool active() const { return id != no_id; }
  bool operator==(const GuestState&) const = default;
};
using HostState = std::array<GuestState, guests>;

enum class Kind {
  Define,
  Create,
  Start,
  Destroy,
  Undefine,
  Rename,
  Suspend,
  Resume,
  LookupUuid,
  LookupName,
  LookupId,
  List,
  Death,
  Undo,     // a batch, all or nothing, ends the life that it began
  Nothing,  // of a batch: a guest that it left as it was
};

enum class Answer {
  Ok,
  Clash,     // the name or the UUID belongs to another guest
  Refused,   // the guest's state does not allow it
  NoDomain,  // there is no such guest
  Failed,    // something outside went wrong: nothing has changed
  Unknown,   // the caller never heard, or was told of a failure half-way: it has happened, or not
};

struct Call {
  Kind kind{};
  int guest = 0;     // Lookups by name and id: who was found
  int name = 0;      // Rename: the new one
  int id = no_id;    // of the life that began (Create, Start), that ended (Death, Undo), or was looked up
  HostState seen{};  // List
  std::optional<GuestState> found;  // Lookups
  Answer answer = Answer::Unknown;
  std::uint64_t began = 0, ended = 0;  // moments; all are different, but that a read begins and ends in one
  std::string said;                    // the error's text, for people

  bool overlaps(const Call& other) const { return began <= other.ended && other.began <= ended; }
};
using History = std::vector<Call>;

std::string describe(const Call& call);
std::string describe(const HostState& state);

}  // namespace vireo::tests
