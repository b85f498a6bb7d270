// The counters' names.
#include "doors/xenstore/counters.hpp"

#include <iterator>
#include <utility>

namespace vireo::doors::xenstore {
namespace {

using Named = std::pair<std::string_view, Counter Counters::*>;

#define VIREO_COUNTER(name) Named(#name, &Counters::name)
constexpr Named names[] = {
    VIREO_COUNTER(clients),
    VIREO_COUNTER(watches),
    VIREO_COUNTER(transactions),
    VIREO_COUNTER(held_bytes),
    VIREO_COUNTER(clients_accepted),
    VIREO_COUNTER(clients_refused),
    VIREO_COUNTER(accept_failures),
    VIREO_COUNTER(clients_dropped_oversize),
    VIREO_COUNTER(clients_dropped_not_reading),
    VIREO_COUNTER(requests),
    VIREO_COUNTER(errors),
    VIREO_COUNTER(conflicts),
    VIREO_COUNTER(events),
    VIREO_COUNTER(events_merged),
    VIREO_COUNTER(pauses),
};
#undef VIREO_COUNTER

static_assert(std::size(names) == sizeof(Counters) / sizeof(Counter), "every counter has its name");

}  // namespace

std::vector<Count> Counters::read() const { return read_counts(*this, names); }

}  // namespace vireo::doors::xenstore
