// Registering for events. Registrations are handled on the core thread, where events come from: from the moment the
// reply goes out, every later event is delivered.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

// The client's subscriptions, which begin with the first registration.
Subscriptions& subscribed(const Call& call) {
  auto& subscriptions = client(call).core_side->subscriptions;
  subscriptions.begin(host_of(call).events, call.session);
  return subscriptions;
}

// All of libvirt 9.0's events may be registered for; those that Vireo has no source for yet never come.
Result<void> check_event(int event_id) {
  if (event_id >= 0 && event_id <= VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE) return {};
  return fail_from(VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, fmt::format("unsupported event ID {}", event_id));
}

Result<void> register_plain(const Call& call, int event_id) {
  if (auto ok = check_event(event_id); !ok) return ok;
  if (subscribed(call).add_plain(event_id)) return {};
  return fail_from(VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, fmt::format("domain event {} already registered", event_id));
}

Result<void> deregister_plain(const Call& call, int event_id) {
  if (auto ok = check_event(event_id); !ok) return ok;
  if (subscribed(call).remove_plain(event_id)) return {};
  return fail_from(VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, fmt::format("domain event {} not registered", event_id));
}

asio::awaitable<Result<wire::remote_connect_domain_event_register_ret>> register_lifecycle_event(Call call, Nothing) {
  if (auto done = register_plain(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE); !done) co_return pass_on(done);
  co_return wire::remote_connect_domain_event_register_ret{.cb_registered = 1};
}

asio::awaitable<Result<wire::remote_connect_domain_event_deregister_ret>> deregister_lifecycle_event(Call call,
                                                                                                     Nothing) {
  if (auto done = deregister_plain(call, VIR_DOMAIN_EVENT_ID_LIFECYCLE); !done) co_return pass_on(done);
  co_return wire::remote_connect_domain_event_deregister_ret{.cb_registered = 0};
}

asio::awaitable<Result<Nothing>> register_any(Call call, wire::remote_connect_domain_event_register_any_args args) {
  if (auto done = register_plain(call, args.eventID); !done) co_return pass_on(done);
  co_return Nothing{};
}

asio::awaitable<Result<Nothing>> deregister_any(Call call, wire::remote_connect_domain_event_deregister_any_args args) {
  if (auto done = deregister_plain(call, args.eventID); !done) co_return pass_on(done);
  co_return Nothing{};
}

asio::awaitable<Result<wire::remote_connect_domain_event_callback_register_any_ret>> register_callback(
    Call call, wire::remote_connect_domain_event_callback_register_any_args args) {
  if (auto ok = check_event(args.eventID); !ok) co_return pass_on(ok);
  std::optional<Uuid> only;
  if (args.dom) {
    if (auto domain = find_domain(call, *args.dom); !domain) co_return pass_on(domain);
    only = uuid_of(*args.dom);
  }
  co_return wire::remote_connect_domain_event_callback_register_any_ret{
      .callbackID = subscribed(call).add_callback(args.eventID, only)};
}

asio::awaitable<Result<Nothing>> deregister_callback(
    Call call, wire::remote_connect_domain_event_callback_deregister_any_args args) {
  if (subscribed(call).remove_callback(args.callbackID)) co_return Nothing{};
  co_return fail_from(VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                      fmt::format("domain event callback {} not registered", args.callbackID));
}

}  // namespace

void register_events(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::connect_domain_event_register, &register_lifecycle_event);
  table.change(Remote::connect_domain_event_deregister, &deregister_lifecycle_event);
  table.change(Remote::connect_domain_event_register_any, &register_any);
  table.change(Remote::connect_domain_event_deregister_any, &deregister_any);
  table.change(Remote::connect_domain_event_callback_register_any, &register_callback);
  table.change(Remote::connect_domain_event_callback_deregister_any, &deregister_callback);
}

}  // namespace vireo::doors::libvirt
