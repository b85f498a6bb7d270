// The counters' names.
#include "doors/libvirt/counters.hpp"

#include <utility>

namespace vireo::doors::libvirt {
namespace {

using Named = std::pair<std::string_view, Counter Counters::*>;

#define VIREO_COUNTER(name) Named(#name, &Counters::name)
constexpr Named names[] = {
    VIREO_COUNTER(clients_accepted),
    VIREO_COUNTER(clients_refused_limit),
    VIREO_COUNTER(clients_refused_descriptors),
    VIREO_COUNTER(accept_failures),
    VIREO_COUNTER(clients_dropped_not_reading),
    VIREO_COUNTER(clients_dropped_events),
    VIREO_COUNTER(clients_dropped_memory),
    VIREO_COUNTER(clients_dropped_keepalive),
    VIREO_COUNTER(clients_dropped_bad_frame),
    VIREO_COUNTER(clients_dropped_oversize),
    VIREO_COUNTER(clients_dropped_silent),
    VIREO_COUNTER(frames),
    VIREO_COUNTER(calls),
    VIREO_COUNTER(events),
    VIREO_COUNTER(calls_refused_unknown),
    VIREO_COUNTER(calls_refused_unauthenticated),
    VIREO_COUNTER(calls_refused_unopened),
    VIREO_COUNTER(calls_refused_read_only),
    VIREO_COUNTER(calls_refused_unsupported),
    VIREO_COUNTER(calls_refused_payload),
    VIREO_COUNTER(calls_refused_closing),
    VIREO_COUNTER(calls_cancelled),
    VIREO_COUNTER(replies_oversize),
    VIREO_COUNTER(streams_refused),
    VIREO_COUNTER(pauses_calls),
    VIREO_COUNTER(pauses_unsent),
    VIREO_COUNTER(pauses_streams),
};
#undef VIREO_COUNTER

static_assert(sizeof names / sizeof names[0] == sizeof(Counters) / sizeof(Counter), "every counter has its name");

}  // namespace

std::vector<Count> Counters::read() const { return read_counts(*this, names); }

}  // namespace vireo::doors::libvirt
