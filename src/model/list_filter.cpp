// The groups of listing flags.
#include "model/list_filter.hpp"

namespace vireo::model {
namespace {

// True if the caller set no flag of this pair, or the one that fits.
bool pair_allows(unsigned flags, unsigned when_true, unsigned when_false, bool is) {
  if (!(flags & (when_true | when_false))) return true;
  return flags & (is ? when_true : when_false);
}

}  // namespace

bool matches(const DomainView& d, unsigned flags) {
  if (!pair_allows(flags, VIR_CONNECT_LIST_DOMAINS_ACTIVE, VIR_CONNECT_LIST_DOMAINS_INACTIVE, d.active())) return false;
  if (!pair_allows(flags, VIR_CONNECT_LIST_DOMAINS_PERSISTENT, VIR_CONNECT_LIST_DOMAINS_TRANSIENT,
                   d.persistent != nullptr))
    return false;
  if (!pair_allows(flags, VIR_CONNECT_LIST_DOMAINS_AUTOSTART, VIR_CONNECT_LIST_DOMAINS_NO_AUTOSTART, d.autostart))
    return false;
  // Vireo has no managed saves, snapshots and checkpoints yet, so no guest has one.
  if (!pair_allows(flags, VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, VIR_CONNECT_LIST_DOMAINS_NO_MANAGEDSAVE, false) ||
      !pair_allows(flags, VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, VIR_CONNECT_LIST_DOMAINS_NO_SNAPSHOT, false) ||
      !pair_allows(flags, VIR_CONNECT_LIST_DOMAINS_HAS_CHECKPOINT, VIR_CONNECT_LIST_DOMAINS_NO_CHECKPOINT, false))
    return false;

  constexpr unsigned states = VIR_CONNECT_LIST_DOMAINS_RUNNING | VIR_CONNECT_LIST_DOMAINS_PAUSED |
                              VIR_CONNECT_LIST_DOMAINS_SHUTOFF | VIR_CONNECT_LIST_DOMAINS_OTHER;
  if (!(flags & states)) return true;
  switch (d.state) {
    case VIR_DOMAIN_RUNNING:
      return flags & VIR_CONNECT_LIST_DOMAINS_RUNNING;
    case VIR_DOMAIN_PAUSED:
      return flags & VIR_CONNECT_LIST_DOMAINS_PAUSED;
    case VIR_DOMAIN_SHUTOFF:
      return flags & VIR_CONNECT_LIST_DOMAINS_SHUTOFF;
    default:
      return flags & VIR_CONNECT_LIST_DOMAINS_OTHER;
  }
}

std::vector<DomainViewPtr> select(const HostVersion& version, unsigned flags) {
  std::vector<DomainViewPtr> out;
  auto take = [&](const auto&, const DomainViewPtr& d) {
    if (matches(*d, flags)) out.push_back(d);
  };
  // Who asks for running guests alone does not pay for the others.
  constexpr unsigned activity = VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_INACTIVE;
  if ((flags & activity) == VIR_CONNECT_LIST_DOMAINS_ACTIVE)
    version.by_id.for_each(take);
  else
    version.by_uuid.for_each(take);
  return out;
}

}  // namespace vireo::model
