// Which events one client wants, in the protocol's two forms: the old one, an event number for all guests without an
// id, and the callback form, where each registration has an id of its own and may name one guest. Core thread only, but
// for making and destroying the (empty) object.
#pragma once

#include <map>
#include <memory>
#include <set>

#include "core/event_hub.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {

class Subscriptions {
 public:
  // Begins to receive from `hub` on behalf of `session`. The subscriptions end with end(), which the session's close
  // posts to the core.
  void begin(core::EventHub& hub, const std::shared_ptr<Session>& session);
  void end();

  // The old form. Both return how many registrations for the event remain, or nothing if there was (not) one already.
  bool add_plain(int event_id) { return plain_.insert(event_id).second; }
  bool remove_plain(int event_id) { return plain_.erase(event_id) > 0; }

  int add_callback(int event_id, std::optional<Uuid> only);
  bool remove_callback(int callback_id) { return callbacks_.erase(callback_id) > 0; }

 private:
  struct Callback {
    int event_id;
    std::optional<Uuid> only;
  };
  void deliver(const model::DomainEvent& event) const;

  std::weak_ptr<Session> session_;
  std::unique_ptr<core::EventHub::Subscription> subscription_;
  std::set<int> plain_;
  std::map<int, Callback> callbacks_;
  int next_callback_ = 0;
};

}  // namespace vireo::doors::libvirt
