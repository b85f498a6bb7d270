// The rules, a function for each kind of call.
#include "tests/histories/sequential.hpp"

#include <algorithm>

namespace vireo::tests {
namespace {

using Next = std::optional<HostState>;

const GuestState& guest_of(const HostState& state, const Call& call) {
  return state.at(static_cast<std::size_t>(call.guest));
}

HostState with(HostState state, const Call& call, GuestState guest) {
  state.at(static_cast<std::size_t>(call.guest)) = guest;
  return state;
}

// Somebody else has the name.
bool name_taken(const HostState& state, const Call& call) {
  for (int i = 0; i < guests; ++i)
    if (i != call.guest && state.at(static_cast<std::size_t>(i)).name == call.name) return true;
  return false;
}

bool clashes(const HostState& state, const Call& call) {
  const auto& guest = guest_of(state, call);
  return name_taken(state, call) || (guest.exists() && guest.name != call.name);
}

Next unchanged_if(bool legal, const HostState& state) { return legal ? Next(state) : std::nullopt; }

// A life ends: a guest without a definition is gone.
GuestState ended(GuestState guest) {
  if (!guest.persistent) return {};
  guest.id = no_id;
  return guest;
}

Next make(const HostState& state, const Call& call, const Excuse& excuse) {
  auto guest = guest_of(state, call);
  switch (call.answer) {
    case Answer::Ok:
    case Answer::Unknown:
      if (clashes(state, call)) return std::nullopt;
      guest.name = call.name;
      if (call.kind == Kind::Define) {
        guest.persistent = true;
        return with(state, call, guest);
      }
      if (guest.active()) return std::nullopt;
      guest.id = call.id >= 0 ? call.id : unknown_id;
      return with(state, call, guest);
    case Answer::Clash:
      return unchanged_if(excuse.clash || clashes(state, call), state);
    case Answer::Refused:
      return unchanged_if(call.kind == Kind::Create && guest.active(), state);
    case Answer::NoDomain:
      return std::nullopt;
    case Answer::Failed:
      return state;
  }
  return std::nullopt;
}

Next start(const HostState& state, const Call& call) {
  auto guest = guest_of(state, call);
  switch (call.answer) {
    case Answer::Ok:
    case Answer::Unknown:
      if (!guest.exists() || guest.active()) return std::nullopt;
      guest.id = call.id >= 0 ? call.id : unknown_id;
      return with(state, call, guest);
    case Answer::Refused:
      return unchanged_if(guest.active(), state);
    case Answer::NoDomain:
      return unchanged_if(!guest.exists(), state);
    case Answer::Failed:
      return unchanged_if(guest.exists(), state);
    case Answer::Clash:
      return std::nullopt;
  }
  return std::nullopt;
}

Next destroy(const HostState& state, const Call& call, const Excuse& excuse) {
  const auto& guest = guest_of(state, call);
  switch (call.answer) {
    case Answer::Ok:
    case Answer::Unknown:
      if (guest.active()) return with(state, call, ended(guest));
      return unchanged_if(excuse.already_ended, state);
    case Answer::Refused:
      return unchanged_if(guest.exists() && !guest.active(), state);
    case Answer::NoDomain:
      return unchanged_if(!guest.exists(), state);
    case Answer::Failed:
      return state;
    case Answer::Clash:
      return std::nullopt;
  }
  return std::nullopt;
}

Next undefine(const HostState& state, const Call& call) {
  auto guest = guest_of(state, call);
  switch (call.answer) {
    case Answer::Ok:
    case Answer::Unknown:
      if (!guest.persistent) return std::nullopt;
      guest.persistent = false;
      return with(state, call, guest.active() ? guest : GuestState{});
    case Answer::Refused:
      return unchanged_if(guest.exists() && !guest.persistent, state);
    case Answer::NoDomain:
      return unchanged_if(!guest.exists(), state);
    case Answer::Failed:
      return unchanged_if(guest.exists(), state);
    case Answer::Clash:
      return std::nullopt;
  }
  return std::nullopt;
}

Next rename(const HostState& state, const Call& call, const Excuse& excuse) {
  auto guest = guest_of(state, call);
  switch (call.answer) {
    case Answer::Ok:
    case Answer::Unknown:
      if (!guest.exists() || guest.active() || guest.name == call.name || name_taken(state, call)) return std::nullopt;
      guest.name = call.name;
      return with(state, call, guest);
    case Answer::Refused:
      return unchanged_if(guest.active(), state);
    case Answer::Clash:
      return unchanged_if(
          guest.exists() && !guest.active() && (guest.name == call.name || name_taken(state, call) || excuse.clash),
          state);
    case Answer::NoDomain:
      return unchanged_if(!guest.exists(), state);
    case Answer::Failed:
      return unchanged_if(guest.exists(), state);
  }
  return std::nullopt;
}

// Whether vCPUs run is no part of the state: what matters here is that a guest which is asked is there and runs.
Next pause(const HostState& state, const Call& call) {
  const auto& guest = guest_of(state, call);
  switch (call.answer) {
    case Answer::Ok:
      return unchanged_if(guest.active(), state);
    case Answer::Refused:  // of a resume also: its vCPUs run already
      return unchanged_if(guest.exists() && (call.kind == Kind::Resume || !guest.active()), state);
    case Answer::NoDomain:
      return unchanged_if(!guest.exists(), state);
    case Answer::Unknown:
    case Answer::Failed:
      return state;
    case Answer::Clash:
      return std::nullopt;
  }
  return std::nullopt;
}

// Whether what was seen is what is; an id that nobody had seen yet is known from now on.
bool agrees(GuestState& is, const GuestState& seen) {
  if (is.id == unknown_id && seen.active()) is.id = seen.id;
  return is == seen;
}

Next look_up(HostState state, const Call& call) {
  if (call.found) return unchanged_if(agrees(state.at(static_cast<std::size_t>(call.guest)), *call.found), state);
  const bool there = std::ranges::any_of(state, [&](const GuestState& guest) {
    return call.kind == Kind::LookupName ? guest.name == call.name : guest.id == call.id;
  });
  return unchanged_if(call.kind == Kind::LookupUuid ? !guest_of(state, call).exists() : !there, state);
}

Next list(HostState state, const Call& call) {
  for (std::size_t i = 0; i < state.size(); ++i)
    if (!agrees(state.at(i), call.seen.at(i))) return std::nullopt;
  return state;
}

// The guest ended by itself. Somebody may have ended it at the same moment.
Next die(const HostState& state, const Call& call) {
  const auto& guest = guest_of(state, call);
  if (guest.id == call.id || guest.id == unknown_id) return with(state, call, ended(guest));
  return state;
}

// A batch ends the life that it began, unless it has ended already. Of a batch that was cut off nobody knows which life
// that was, nor whether it was ended.
Next undo(const HostState& state, const Call& call) {
  const auto& guest = guest_of(state, call);
  const bool is_it = call.answer == Answer::Unknown ? guest.active() : guest.id == call.id;
  return is_it ? with(state, call, ended(guest)) : state;
}

}  // namespace

std::optional<HostState> after(const HostState& state, const Call& call, const Excuse& excuse) {
  switch (call.kind) {
    case Kind::Define:
    case Kind::Create:
      return make(state, call, excuse);
    case Kind::Start:
      return start(state, call);
    case Kind::Destroy:
      return destroy(state, call, excuse);
    case Kind::Undefine:
      return undefine(state, call);
    case Kind::Rename:
      return rename(state, call, excuse);
    case Kind::Suspend:
    case Kind::Resume:
      return pause(state, call);
    case Kind::LookupUuid:
    case Kind::LookupName:
    case Kind::LookupId:
      return look_up(state, call);
    case Kind::List:
      return list(state, call);
    case Kind::Death:
      return die(state, call);
    case Kind::Undo:
      return undo(state, call);
    case Kind::Nothing:
      return state;
  }
  return std::nullopt;
}

Excuse excuse_of(const Call& call, const History& history) {
  Excuse excuse;
  const auto claims = [](const Call& c) {
    return c.kind == Kind::Define || c.kind == Kind::Create || c.kind == Kind::Rename;
  };
  for (const auto& other : history) {
    if (&other == &call || !call.overlaps(other)) continue;
    if (claims(call) && claims(other))
      excuse.clash = excuse.clash || (other.name == call.name) != (other.guest == call.guest);
    if (call.kind == Kind::Destroy && other.guest == call.guest)
      excuse.already_ended = excuse.already_ended || other.kind == Kind::Destroy || other.kind == Kind::Death ||
                             other.kind == Kind::Start || other.kind == Kind::Create || other.kind == Kind::Undo ||
                             other.kind == Kind::Nothing;
  }
  return excuse;
}

}  // namespace vireo::tests
