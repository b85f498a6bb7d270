// How events are put on the wire.
#include "doors/libvirt/handlers/subscriptions.hpp"

#include "doors/libvirt/protocol/structs.hpp"

namespace vireo::doors::libvirt {
namespace {

using proc::Remote;

// One event as the message of its kind, sent in the plain form and in the callback form.
struct Message {
  Session& session;
  wire::remote_nonnull_domain dom;

  template <class Plain, class WithId>
  void send(Remote plain_number, Remote callback_number, const std::optional<int>& callback, Plain plain) const {
    if (callback)
      session.send_event(callback_number, WithId{*callback, std::move(plain)});
    else
      session.send_event(plain_number, plain);
  }

  void operator()(const model::LifecycleEvent& e, const std::optional<int>& callback) const {
    send<wire::remote_domain_event_lifecycle_msg, wire::remote_domain_event_callback_lifecycle_msg>(
        Remote::domain_event_lifecycle, Remote::domain_event_callback_lifecycle, callback, {dom, e.event, e.detail});
  }
  void operator()(const model::RebootEvent&, const std::optional<int>& callback) const {
    send<wire::remote_domain_event_reboot_msg, wire::remote_domain_event_callback_reboot_msg>(
        Remote::domain_event_reboot, Remote::domain_event_callback_reboot, callback, {dom});
  }
  void operator()(const model::RtcChangeEvent& e, const std::optional<int>& callback) const {
    send<wire::remote_domain_event_rtc_change_msg, wire::remote_domain_event_callback_rtc_change_msg>(
        Remote::domain_event_rtc_change, Remote::domain_event_callback_rtc_change, callback, {dom, e.offset_s});
  }
  void operator()(const model::WatchdogEvent& e, const std::optional<int>& callback) const {
    send<wire::remote_domain_event_watchdog_msg, wire::remote_domain_event_callback_watchdog_msg>(
        Remote::domain_event_watchdog, Remote::domain_event_callback_watchdog, callback, {dom, e.action});
  }
  void operator()(const model::BalloonChangeEvent& e, const std::optional<int>& callback) const {
    send<wire::remote_domain_event_balloon_change_msg, wire::remote_domain_event_callback_balloon_change_msg>(
        Remote::domain_event_balloon_change, Remote::domain_event_callback_balloon_change, callback,
        {dom, e.memory_kib});
  }
  // Younger than the callback form: these have no plain one.
  void operator()(const model::MetadataChangeEvent& e, const std::optional<int>& callback) const {
    if (callback)
      session.send_event(Remote::domain_event_callback_metadata_change,
                         wire::remote_domain_event_callback_metadata_change_msg{*callback, dom, e.type, e.uri});
  }
  void operator()(const model::AgentLifecycleEvent& e, const std::optional<int>& callback) const {
    if (callback)
      session.send_event(Remote::domain_event_callback_agent_lifecycle,
                         wire::remote_domain_event_callback_agent_lifecycle_msg{*callback, dom, e.state, e.reason});
  }
};

}  // namespace

void Subscriptions::begin(core::EventHub& hub, const std::shared_ptr<Session>& session) {
  if (subscription_) return;
  session_ = session;
  subscription_ = hub.subscribe([this](const model::DomainEvent& event) { deliver(event); });
}

void Subscriptions::end() { subscription_.reset(); }

int Subscriptions::add_callback(int event_id, std::optional<Uuid> only) {
  const int id = next_callback_++;
  callbacks_.emplace(id, Callback{event_id, only});
  return id;
}

void Subscriptions::deliver(const model::DomainEvent& event) const {
  auto session = session_.lock();
  if (!session) return;
  const Message message{*session, {.name = event.name, .uuid = event.uuid.bytes, .id = event.id}};
  const int event_id = event.event_id();
  const auto send = [&](const std::optional<int>& callback) {
    std::visit([&](const auto& what) { message(what, callback); }, event.what);
  };
  if (plain_.contains(event_id)) send(std::nullopt);
  for (const auto& [id, callback] : callbacks_)
    if (callback.event_id == event_id && (!callback.only || *callback.only == event.uuid)) send(id);
}

}  // namespace vireo::doors::libvirt
