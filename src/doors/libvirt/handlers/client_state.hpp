// What the handlers keep for one connection, and the few questions that nearly all of them begin with.
#pragma once

#include "core/host.hpp"
#include "core/verbs/verbs.hpp"
#include "doors/libvirt/handler.hpp"
#include "doors/libvirt/handlers/autodestroy.hpp"
#include "doors/libvirt/handlers/console_table.hpp"
#include "doors/libvirt/handlers/subscriptions.hpp"
#include "doors/libvirt/protocol/structs.hpp"

namespace vireo::doors::libvirt {

// What a daemon offers over this door. Outlives all sessions.
struct Backends {
  core::Host& qemu;  // qemu:///system
  core::Host& test;  // test:///default
  const ports::HostFacts& facts;
  Workers& workers;  // for what takes long or may block: big documents, opening terminals
  ConsoleTable consoles;
};

// The half of a client's state that belongs to the core thread. It ends there too: the session's close posts end().
struct CoreSide {
  Subscriptions subscriptions;
  Autodestroy autodestroy;

  void end() {
    subscriptions.end();
    autodestroy.end();
  }
};

class ClientState final : public SessionState {
 public:
  explicit ClientState(Backends& b) : backends(b) {}

  // The driver that was opened; nobody's before.
  int error_domain() const override {
    if (!host) return VIR_FROM_NONE;
    return host == &backends.test ? VIR_FROM_TEST : VIR_FROM_QEMU;
  }

  Backends& backends;
  core::Host* host = nullptr;  // set by connect_open, which comes before every other handler
  std::string uri;
  const std::shared_ptr<CoreSide> core_side = std::make_shared<CoreSide>();
};

inline ClientState& client(const Call& call) { return call.state_as<ClientState>(); }
inline core::Host& host_of(const Call& call) { return *client(call).host; }

inline Uuid uuid_of(const wire::remote_nonnull_domain& dom) { return Uuid{dom.uuid}; }
inline core::DomainRef ref_of(const wire::remote_nonnull_domain& dom) {
  return {.uuid = uuid_of(dom), .name = dom.name};
}
wire::remote_nonnull_domain to_wire(const model::DomainView& domain);

// The guest that a client names, in one pinned version. Error: VIR_ERR_NO_DOMAIN as libvirt words it.
Result<model::DomainViewPtr> find_domain(const model::HostVersion& version, const wire::remote_nonnull_domain& dom);
// The same in the version of now.
Result<model::DomainViewPtr> find_domain(const Call& call, const wire::remote_nonnull_domain& dom);

// The same, of a guest that runs. Error: also VIR_ERR_OPERATION_INVALID.
Result<model::DomainViewPtr> find_running(const Call& call, const wire::remote_nonnull_domain& dom);

// The definition that LIVE or CONFIG (virDomainModificationImpact) asks for; without either, the one in force. Error:
// VIR_ERR_OPERATION_INVALID when the guest has no such definition.
Result<const model::DomainDef*> chosen_definition(const model::DomainView& domain, unsigned flags);

// Error: VIR_ERR_INVALID_ARG naming the flags and the public function, when flags has more than `known`.
Result<void> check_flags(const Call& call, unsigned flags, unsigned known);

}  // namespace vireo::doors::libvirt
