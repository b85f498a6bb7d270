// console: a guest's terminal as a stream. Bytes are carried on the client's own door thread, both ways at once, until
// one side ends.
#include <fcntl.h>

#include "base/fd.hpp"
#include "core/legality.hpp"
#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {
namespace {

// One open console. Ends when both directions have.
struct Link {
  Link(ConsoleTable& t, std::string p, std::shared_ptr<Stream> s, const asio::any_io_executor& door, int fd)
      : table(t), path(std::move(p)), stream(std::move(s)), terminal(door, fd) {}
  ~Link() { table.release(path, stream); }

  ConsoleTable& table;
  std::string path;
  std::shared_ptr<Stream> stream;
  asio::posix::stream_descriptor terminal;
};

asio::awaitable<void> guest_to_client(std::shared_ptr<Link> link) {
  for (;;) {
    Bytes buffer(16 * 1024);
    boost::system::error_code error;
    const auto size =
        co_await link->terminal.async_read_some(asio::buffer(buffer), asio::redirect_error(asio::use_awaitable, error));
    // The terminal ends (EIO) when the guest does.
    if (error) break;
    buffer.resize(size);
    if (auto sent = co_await link->stream->send(std::move(buffer)); !sent) break;
  }
  link->stream->finish();
  boost::system::error_code ignored;
  link->terminal.close(ignored);
}

asio::awaitable<void> client_to_guest(std::shared_ptr<Link> link) {
  for (;;) {
    auto data = co_await link->stream->receive();
    if (!data || !*data) break;
    boost::system::error_code error;
    co_await asio::async_write(link->terminal, asio::buffer(**data), asio::redirect_error(asio::use_awaitable, error));
    if (error) break;
  }
  link->stream->finish();
  boost::system::error_code ignored;
  link->terminal.close(ignored);
}

// The source of the console that the client named by alias, or of the first one.
Result<model::CharSource> find_console(const model::DomainDef& def, const std::optional<std::string>& alias) {
  const auto matches = [&](const auto& device) { return !alias || device.info.alias == *alias; };
  for (const auto& console : def.devices.consoles)
    if (matches(console)) return console.source;
  for (const auto& serial : def.devices.serials)
    if (matches(serial)) return serial.source;
  if (alias) return fail(VIR_ERR_INTERNAL_ERROR, "cannot find character device " + *alias);
  return fail(VIR_ERR_INTERNAL_ERROR, "cannot find character device <null>");
}

Result<int> open_terminal(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return fail_errno(errno, "cannot open the console '" + path + "'");
  return fd;
}

asio::awaitable<Result<Nothing>> open_console(Call call, wire::remote_domain_open_console_args args,
                                              std::shared_ptr<Stream> stream) {
  if (auto ok = check_flags(call, args.flags, VIR_DOMAIN_CONSOLE_FORCE | VIR_DOMAIN_CONSOLE_SAFE); !ok)
    co_return pass_on(ok);
  auto domain = find_domain(call, args.dom);
  if (!domain) co_return pass_on(domain);
  if (auto allowed = core::allow(core::Verb::OpenConsole, **domain); !allowed) co_return pass_on(allowed);
  auto source = find_console(*(*domain)->live, args.dev_name);
  if (!source) co_return pass_on(source);
  if (source->backend != model::CharBackend::pty)
    co_return fail(VIR_ERR_INTERNAL_ERROR,
                   "character device " + args.dev_name.value_or("<null>") + " is not using a PTY");

  auto& backends = client(call).backends;
  const std::string path = source->path;
  auto fd = co_await backends.workers.run<int>([path] { return open_terminal(path); },
                                               Deadline::in(std::chrono::seconds(10)));
  if (!fd) co_return pass_on(fd);
  Fd owned(*fd);
  std::shared_ptr<Stream> displaced;
  if (auto taken = backends.consoles.take(path, stream, args.flags & VIR_DOMAIN_CONSOLE_FORCE, displaced); !taken)
    co_return pass_on(taken);
  if (displaced)
    displaced->abort({.code = VIR_ERR_OPERATION_ABORTED, .detail = "the console was taken over by another client"});

  const auto& door = call.session->executor();
  auto link = std::make_shared<Link>(backends.consoles, path, stream, door, owned.release());
  asio::co_spawn(door, guest_to_client(link), asio::detached);
  asio::co_spawn(door, client_to_guest(link), asio::detached);
  co_return Nothing{};
}

}  // namespace

void register_console(HandlerTable& table) { table.stream(proc::Remote::domain_open_console, &open_console); }

}  // namespace vireo::doors::libvirt
