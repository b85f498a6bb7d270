// Starting, stopping and everything between: the verbs that change a guest that is already known.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"

namespace vireo::doors::libvirt {
namespace {

Result<Nothing> nothing(Result<void> done) {
  if (!done) return pass_on(done);
  return Nothing{};
}

asio::awaitable<Result<Nothing>> start(Call call, wire::remote_domain_create_args args) {
  auto domain = co_await core::start(host_of(call), ref_of(args.dom), {});
  if (!domain) co_return pass_on(domain);
  co_return Nothing{};
}

asio::awaitable<Result<wire::remote_domain_create_with_flags_ret>> start_with_flags(
    Call call, wire::remote_domain_create_with_flags_args args) {
  // Without managed saves there is nothing that FORCE_BOOT would discard or BYPASS_CACHE would read.
  if (auto ok = check_flags(call, args.flags,
                            VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY | VIR_DOMAIN_START_BYPASS_CACHE |
                                VIR_DOMAIN_START_FORCE_BOOT);
      !ok)
    co_return pass_on(ok);
  const core::StartOptions options{.paused = (args.flags & VIR_DOMAIN_START_PAUSED) != 0};
  auto domain = co_await core::start(host_of(call), ref_of(args.dom), options);
  if (!domain) co_return pass_on(domain);
  if (args.flags & VIR_DOMAIN_START_AUTODESTROY) client(call).core_side->autodestroy.add(host_of(call), **domain);
  co_return wire::remote_domain_create_with_flags_ret{.dom = to_wire(**domain)};
}

asio::awaitable<Result<Nothing>> destroy(Call call, wire::remote_domain_destroy_args args) {
  co_return nothing(co_await core::destroy(host_of(call), ref_of(args.dom), false));
}

asio::awaitable<Result<Nothing>> destroy_flags(Call call, wire::remote_domain_destroy_flags_args args) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_DESTROY_GRACEFUL); !ok) co_return pass_on(ok);
  const bool gentle = (args.flags & VIR_DOMAIN_DESTROY_GRACEFUL) != 0;
  co_return nothing(co_await core::destroy(host_of(call), ref_of(args.dom), gentle));
}

asio::awaitable<Result<Nothing>> suspend(Call call, wire::remote_domain_suspend_args args) {
  co_return nothing(co_await core::suspend(host_of(call), ref_of(args.dom)));
}

asio::awaitable<Result<Nothing>> resume(Call call, wire::remote_domain_resume_args args) {
  co_return nothing(co_await core::resume(host_of(call), ref_of(args.dom)));
}

asio::awaitable<Result<Nothing>> reset(Call call, wire::remote_domain_reset_args args) {
  if (auto ok = check_flags(call, args.flags, 0); !ok) co_return pass_on(ok);
  co_return nothing(co_await core::reset(host_of(call), ref_of(args.dom)));
}

// Shutdown and reboot know several ways to tell the guest; the power button is the one that every guest has.
Result<void> check_way(const Call& call, unsigned flags, unsigned power_button, unsigned agent) {
  if (auto ok = check_flags(call, flags, power_button | agent); !ok) return ok;
  if ((flags & agent) && !(flags & power_button))
    return fail(VIR_ERR_ARGUMENT_UNSUPPORTED, "QEMU guest agent is not supported yet; use the ACPI power button");
  return {};
}

asio::awaitable<Result<Nothing>> shutdown_with(Call call, wire::remote_nonnull_domain dom, unsigned flags) {
  if (auto ok = check_way(call, flags, VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN, VIR_DOMAIN_SHUTDOWN_GUEST_AGENT); !ok)
    co_return pass_on(ok);
  co_return nothing(co_await core::shutdown(host_of(call), ref_of(dom)));
}

asio::awaitable<Result<Nothing>> shutdown(Call call, wire::remote_domain_shutdown_args args) {
  return shutdown_with(std::move(call), std::move(args.dom), 0);
}

asio::awaitable<Result<Nothing>> shutdown_flags(Call call, wire::remote_domain_shutdown_flags_args args) {
  return shutdown_with(std::move(call), std::move(args.dom), args.flags);
}

asio::awaitable<Result<Nothing>> reboot(Call call, wire::remote_domain_reboot_args args) {
  if (auto ok = check_way(call, args.flags, VIR_DOMAIN_REBOOT_ACPI_POWER_BTN, VIR_DOMAIN_REBOOT_GUEST_AGENT); !ok)
    co_return pass_on(ok);
  co_return nothing(co_await core::reboot(host_of(call), ref_of(args.dom)));
}

asio::awaitable<Result<Nothing>> set_autostart(Call call, wire::remote_domain_set_autostart_args args) {
  co_return nothing(co_await core::set_autostart(host_of(call), ref_of(args.dom), args.autostart != 0));
}

asio::awaitable<Result<wire::remote_domain_rename_ret>> rename(Call call, wire::remote_domain_rename_args args) {
  const std::string name = args.new_name.value_or("");
  if (name.empty())
    co_return fail_from(VIR_FROM_DOM, VIR_ERR_INVALID_ARG, "string new_name in virDomainRename must not be empty");
  if (auto ok = check_flags(call, args.flags, 0); !ok) co_return pass_on(ok);
  // What a definition may not be called either.
  if (name.contains('/')) co_return fail(VIR_ERR_XML_ERROR, fmt::format("name {} cannot contain '/'", name));
  if (name.contains('\n')) co_return fail_from(VIR_FROM_XML, VIR_ERR_XML_DETAIL, "invalid char in name: \\n");
  auto renamed = co_await core::rename(host_of(call), ref_of(args.dom), name);
  if (!renamed) co_return pass_on(renamed);
  co_return wire::remote_domain_rename_ret{.retcode = 0};
}

}  // namespace

void register_lifecycle(HandlerTable& table) {
  using proc::Remote;
  table.change(Remote::domain_create, &start);
  table.change(Remote::domain_create_with_flags, &start_with_flags);
  table.change(Remote::domain_destroy, &destroy);
  table.change(Remote::domain_destroy_flags, &destroy_flags);
  table.change(Remote::domain_suspend, &suspend);
  table.change(Remote::domain_resume, &resume);
  table.change(Remote::domain_reset, &reset);
  table.change(Remote::domain_shutdown, &shutdown);
  table.change(Remote::domain_shutdown_flags, &shutdown_flags);
  table.change(Remote::domain_reboot, &reboot);
  table.change(Remote::domain_set_autostart, &set_autostart);
  table.change(Remote::domain_rename, &rename);
}

}  // namespace vireo::doors::libvirt
