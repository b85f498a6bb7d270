// How alive a guest is, in one word and one sentence: why its monitor is silent, where that can be told, and who holds
// its lane. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/domain_view.hpp"

namespace vireo::core {

struct Liveness {
  // The worst that is true.
  enum class Kind {
    shut_off,
    healthy,
    busy,     // its lane is held for long
    silent,   // its monitor does not answer, and nothing is known of why
    stuck,    // a thread waits for what does not come
    stopped,  // the process, by a signal
  } kind = Kind::shut_off;
  std::string sentence;  // "silent for 12 s, stuck in io_schedule on /img/x.qcow2"

  // Something is wrong with it now.
  bool is_ill() const { return kind >= Kind::silent; }
};

std::string_view word_of(Liveness::Kind kind);

// What takes no longer than this is nothing to tell: a disk that works makes threads sleep, too.
inline constexpr auto kNotable = std::chrono::seconds(1);

// `sample`: of this life, null: none.
Liveness liveness_of(const model::DomainView& guest, const model::GuestSample* sample,
                     const model::LaneGauge::Figures& lane, SteadyClock::time_point now);
// The same, of what the guest's pulse says now.
Liveness liveness_of(const model::DomainView& guest, SteadyClock::time_point now);

}  // namespace vireo::core
