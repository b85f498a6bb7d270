// What happens to guests, as subscribers are told: the events of libvirt's virDomainEventID that Vireo emits.
#pragma once

#include <libvirt/libvirt.h>

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "base/uuid.hpp"

namespace vireo::model {

// VIR_DOMAIN_EVENT_ID_LIFECYCLE: virDomainEventType and its detail enum.
struct LifecycleEvent {
  int event = 0;
  int detail = 0;
};
// VIR_DOMAIN_EVENT_ID_REBOOT: the guest was reset.
struct RebootEvent {};
// VIR_DOMAIN_EVENT_ID_RTC_CHANGE: the guest moved its clock, now this far from UTC.
struct RtcChangeEvent {
  long long offset_s = 0;
};
// VIR_DOMAIN_EVENT_ID_WATCHDOG: virDomainEventWatchdogAction.
struct WatchdogEvent {
  int action = VIR_DOMAIN_EVENT_WATCHDOG_NONE;
};

// VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE: how much memory the balloon now leaves the guest.
struct BalloonChangeEvent {
  std::uint64_t memory_kib = 0;
};
// VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE: whether the guest's agent is there: virConnectDomainEventAgentLifecycleState and
// its reason.
struct AgentLifecycleEvent {
  int state = VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED;
  int reason = VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_UNKNOWN;
};

// VIR_DOMAIN_EVENT_ID_METADATA_CHANGE: virDomainMetadataType, and of an application's element its namespace.
struct MetadataChangeEvent {
  int type = VIR_DOMAIN_METADATA_DESCRIPTION;
  std::optional<std::string> uri;
};

struct DomainEvent {
  // The guest as it is named in events; id -1 once it has ended.
  std::string name;
  Uuid uuid;
  int id = -1;
  std::variant<LifecycleEvent, RebootEvent, RtcChangeEvent, WatchdogEvent, BalloonChangeEvent, AgentLifecycleEvent,
               MetadataChangeEvent>
      what;

  // virDomainEventID of `what`.
  int event_id() const {
    static constexpr int ids[] = {VIR_DOMAIN_EVENT_ID_LIFECYCLE,      VIR_DOMAIN_EVENT_ID_REBOOT,
                                  VIR_DOMAIN_EVENT_ID_RTC_CHANGE,     VIR_DOMAIN_EVENT_ID_WATCHDOG,
                                  VIR_DOMAIN_EVENT_ID_BALLOON_CHANGE, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
                                  VIR_DOMAIN_EVENT_ID_METADATA_CHANGE};
    return ids[what.index()];
  }
};

}  // namespace vireo::model
