// What everybody may know of a guest at one moment, and the version of the whole host that holds all of them. Both are
// immutable: the core publishes a new version for every change, and a reader that pins one gets answers that agree with
// each other. States and reasons are libvirt's own numbers (virDomainState and its *Reason enums, libvirt-domain.h).
#pragma once

#include <libvirt/libvirt.h>
#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/persistent_map.hpp"
#include "base/uuid.hpp"
#include "model/boot_times.hpp"
#include "model/definition.hpp"
#include "model/launch_trace.hpp"
#include "model/pulse.hpp"

namespace vireo::model {

struct DomainView {
  Uuid uuid;
  std::string name;
  int id = -1;              // -1: not running
  DomainDefPtr persistent;  // what the next start uses; null for a transient guest
  DomainDefPtr live;        // what runs now; null when not running
  int state = VIR_DOMAIN_SHUTOFF;
  int reason = VIR_DOMAIN_SHUTOFF_UNKNOWN;
  pid_t pid = 0;  // 0: not running, or simulated
  bool autostart = false;
  bool updated = false;  // the persistent definition was replaced while the guest ran

  std::shared_ptr<const Pulse> pulse;  // what changes all the time; null only in tests of what does not need it

  LaunchTracePtr last_launch;  // by this daemon; null: none
  BootTimesPtr boot;           // of the last start that succeeded; null: none is known

  bool tainted_by_monitor = false;  // somebody has used a raw monitor command on this life of the guest

  bool active() const { return id >= 0; }
  // The definition that most questions are about: what runs, or else what would.
  const DomainDef& current() const { return live ? *live : *persistent; }
};
using DomainViewPtr = std::shared_ptr<const DomainView>;

struct HostVersion {
  std::uint64_t number = 0;  // grows by one with every published change
  PersistentMap<Uuid, DomainViewPtr> by_uuid;
  PersistentMap<std::string_view, DomainViewPtr> by_name;  // each key is the name inside its own value
  PersistentMap<int, DomainViewPtr> by_id;                 // running guests only
};

}  // namespace vireo::model
