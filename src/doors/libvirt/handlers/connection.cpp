// Opening a connection, and what it says about itself: driver, versions, capabilities.
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {
namespace {

// Numbers of connect_supports_feature (protocol/features.tsv): what Vireo does.
constexpr int typed_param_string = 9, remote_event_callback = 14, remote_close_callback = 15;

// The URI without its query: "qemu:///system".
std::string without_query(std::string uri) { return uri.substr(0, uri.find('?')); }

Result<Nothing> open(const Call& call, const wire::remote_connect_open_args& args) {
  auto& state = client(call);
  if (auto ok = check_flags(call, args.flags, VIR_CONNECT_RO | VIR_CONNECT_NO_ALIASES); !ok) return pass_on(ok);
  const std::string uri = without_query(args.name.value_or("qemu:///system"));
  if (uri == "qemu:///system" || uri.empty()) {
    state.host = &state.backends.qemu;
    state.uri = "qemu:///system";
  } else if (uri == "test:///default") {
    state.host = &state.backends.test;
    state.uri = uri;
  } else if (uri.starts_with("qemu:///")) {
    return fail_from(VIR_FROM_QEMU, VIR_ERR_INTERNAL_ERROR,
                     "unexpected QEMU URI path '" + uri.substr(7) + "', try qemu:///system");
  } else {
    return fail(VIR_ERR_NO_CONNECT, uri + "; Vireo serves qemu:///system and test:///default");
  }
  if (args.flags & VIR_CONNECT_RO) call.session->restrict_to_reading();
  return Nothing{};
}

Result<wire::remote_connect_supports_feature_ret> supports_feature(
    const Call&, const wire::remote_connect_supports_feature_args& args) {
  const bool yes = args.feature == typed_param_string || args.feature == remote_event_callback ||
                   args.feature == remote_close_callback;
  return wire::remote_connect_supports_feature_ret{.supported = yes};
}

Result<wire::remote_connect_get_type_ret> get_type(const Call& call, const Nothing&) {
  return wire::remote_connect_get_type_ret{.type = host_of(call).hypervisor.type()};
}

asio::awaitable<Result<wire::remote_connect_get_version_ret>> get_version(Call call, Nothing) {
  auto version = co_await host_of(call).hypervisor.version();
  if (!version) co_return pass_on(version);
  co_return wire::remote_connect_get_version_ret{.hv_ver = *version};
}

// The version of libvirt whose interface this is: that of the headers Vireo was built with.
Result<wire::remote_connect_get_lib_version_ret> get_lib_version(const Call&, const Nothing&) {
  return wire::remote_connect_get_lib_version_ret{.lib_ver = LIBVIR_VERSION_NUMBER};
}

Result<wire::remote_connect_get_uri_ret> get_uri(const Call& call, const Nothing&) {
  return wire::remote_connect_get_uri_ret{.uri = client(call).uri};
}

Result<wire::remote_connect_is_secure_ret> is_secure(const Call&, const Nothing&) {
  return wire::remote_connect_is_secure_ret{.secure = 1};  // a unix socket
}

asio::awaitable<Result<wire::remote_connect_get_capabilities_ret>> get_capabilities(Call call, Nothing) {
  auto xml = co_await host_of(call).hypervisor.capabilities_xml();
  if (!xml) co_return pass_on(xml);
  co_return wire::remote_connect_get_capabilities_ret{.capabilities = std::move(*xml)};
}

// The close callback is the client library's own: it tells its user when the connection breaks.
Result<Nothing> close_callback(const Call&, const Nothing&) { return Nothing{}; }

}  // namespace

void register_connection(HandlerTable& table) {
  using proc::Remote;
  table.read(Remote::connect_open, &open);
  table.read(Remote::connect_supports_feature, &supports_feature);
  table.read(Remote::connect_get_type, &get_type);
  table.change(Remote::connect_get_version, &get_version);
  table.read(Remote::connect_get_lib_version, &get_lib_version);
  table.read(Remote::connect_get_uri, &get_uri);
  table.read(Remote::connect_is_secure, &is_secure);
  table.change(Remote::connect_get_capabilities, &get_capabilities);
  table.read(Remote::connect_register_close_callback, &close_callback);
  table.read(Remote::connect_unregister_close_callback, &close_callback);
}

}  // namespace vireo::doors::libvirt
