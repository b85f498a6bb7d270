// Accepting, counting and ending connections. The list of sessions is the only thing here that several threads share.
#include "doors/libvirt/door.hpp"

#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.hpp"

namespace vireo::doors::libvirt {
namespace {

using Protocol = asio::local::stream_protocol;
using Acceptor = Protocol::acceptor;

// A client whose descriptor would be among the last quarter of those that the process may have is turned away: guests
// need some, too. The system hands out the lowest that is free, so the number tells how many are in use.
bool descriptors_run_out(int descriptor) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<rlim_t>(descriptor) >= limit.rlim_cur / 4 * 3;
}

// How long accepting rests when the process is out of descriptors.
constexpr std::chrono::milliseconds accept_rest{100};

Peer peer_of(Session::Socket& socket, bool read_only) {
  Peer peer{.read_only = read_only};
  ucred credentials{};
  socklen_t size = sizeof credentials;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) == 0) {
    peer.pid = credentials.pid;
    peer.uid = static_cast<int>(credentials.uid);
    peer.gid = static_cast<int>(credentials.gid);
  }
  return peer;
}

}  // namespace

struct Door::Shared : std::enable_shared_from_this<Door::Shared> {
  struct Listener {
    Listener(const asio::any_io_executor& executor, bool ro) : acceptor(executor), rest(executor), read_only(ro) {}
    Acceptor acceptor;
    asio::steady_timer rest;
    const bool read_only;
    std::atomic<std::size_t> clients{0};
    std::filesystem::path path;  // removed when accepting stops; empty: not ours
    bool stopped = false;        // on the acceptor's executor
  };

  Shared(std::vector<asio::any_io_executor> e, const HandlerTable& t, Limits l, Welcome w)
      : executors(std::move(e)), table(t), welcome(std::move(w)), limits(l) {}

  const std::vector<asio::any_io_executor> executors;
  const HandlerTable& table;
  const Welcome welcome;
  const std::shared_ptr<Common> common = std::make_shared<Common>();

  std::mutex mutex;
  Limits limits;
  std::vector<std::shared_ptr<Listener>> listeners;
  std::set<std::shared_ptr<Session>> sessions;
  std::size_t next_executor = 0;
  bool closed = false;

  void begin(const std::shared_ptr<Listener>& listener) {
    {
      std::lock_guard hold(mutex);
      listeners.push_back(listener);
    }
    asio::co_spawn(executors.front(), accept_loop(shared_from_this(), listener), asio::detached);
  }

  asio::any_io_executor next() {
    std::lock_guard hold(mutex);
    return executors[next_executor++ % executors.size()];
  }

  static asio::awaitable<void> accept_loop(std::shared_ptr<Shared> self, std::shared_ptr<Listener> listener) {
    while (!listener->stopped) {
      boost::system::error_code error;
      auto socket =
          co_await listener->acceptor.async_accept(self->next(), asio::redirect_error(asio::use_awaitable, error));
      if (listener->stopped) co_return;
      if (!error) {
        self->admit(std::move(socket), listener);
        continue;
      }
      self->common->counters.accept_failures.add();
      if (auto more = self->common->refusals.turn()) log::warn("cannot accept a client: {}{}", error.message(), *more);
      boost::system::error_code woken;
      listener->rest.expires_after(accept_rest);
      co_await listener->rest.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }

  void admit(Session::Socket socket, const std::shared_ptr<Listener>& listener) {
    auto& counters = common->counters;
    const auto peer = peer_of(socket, listener->read_only);
    const bool no_descriptors = descriptors_run_out(socket.native_handle());
    std::shared_ptr<Session> session;
    {
      std::lock_guard hold(mutex);
      if (closed) return;
      if (!no_descriptors && listener->clients < limits.sessions) {
        session = std::make_shared<Session>(std::move(socket), peer, table, limits, common);
        sessions.insert(session);
        ++listener->clients;
      }
    }
    if (!session) {
      (no_descriptors ? counters.clients_refused_descriptors : counters.clients_refused_limit).add();
      if (auto more = common->refusals.turn())
        log::warn("a client was turned away (pid {}, uid {}): {}{}", peer.pid, peer.uid,
                  no_descriptors ? "the process runs out of descriptors"
                                 : fmt::format("{} are connected, see max_clients", listener->clients.load()),
                  *more);
      return;
    }
    counters.clients_accepted.add();
    asio::post(session->executor(), [self = shared_from_this(), session, listener] {
      if (self->welcome) self->welcome(*session);
      session->start([self, listener](const std::shared_ptr<Session>& over) {
        std::lock_guard hold(self->mutex);
        self->sessions.erase(over);
        --listener->clients;
      });
    });
  }

  void stop_accepting() {
    std::vector<std::shared_ptr<Listener>> all;
    {
      std::lock_guard hold(mutex);
      all.swap(listeners);
    }
    for (const auto& listener : all) {
      if (!listener->path.empty()) ::unlink(listener->path.c_str());
      asio::post(executors.front(), [listener] {
        listener->stopped = true;
        boost::system::error_code ignored;
        listener->acceptor.close(ignored);
        listener->rest.cancel();
      });
    }
  }
};

Door::Door(std::vector<asio::any_io_executor> executors, const HandlerTable& table, Limits limits, Welcome welcome)
    : shared_(std::make_shared<Shared>(std::move(executors), table, limits, std::move(welcome))) {}

Door::~Door() { close(); }

Result<void> Door::listen(const std::filesystem::path& path, std::filesystem::perms mode, bool read_only) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode))
      return fail(VIR_ERR_SYSTEM_ERROR,
                  fmt::format("cannot listen at '{}': there is a file of that name", path.native()));
    ::unlink(path.c_str());
  }
  auto listener = std::make_shared<Shared::Listener>(shared_->executors.front(), read_only);
  const auto cannot = [&](const boost::system::error_code& error) {
    return fail_errno(error.value(), fmt::format("cannot listen at '{}'", path.native()));
  };
  // Asio's endpoint throws for what does not fit, and the plain message would not say why.
  if (path.native().size() >= sizeof(sockaddr_un::sun_path))
    return fail(VIR_ERR_SYSTEM_ERROR,
                fmt::format("cannot listen at '{}': a socket's path has at most {} bytes; choose a shorter folder",
                            path.native(), sizeof(sockaddr_un::sun_path) - 1));
  boost::system::error_code error;
  listener->acceptor.open(Protocol(), error);
  if (!error) listener->acceptor.bind(Protocol::endpoint(path.native()), error);
  if (error) return cannot(error);
  listener->path = path;
  if (::chmod(path.c_str(), static_cast<mode_t>(mode)) != 0)
    return fail_errno(errno, fmt::format("cannot set the mode of '{}'", path.native()));
  listener->acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) return cannot(error);
  shared_->begin(listener);
  return {};
}

Result<void> Door::adopt(int listening_fd, bool read_only) {
  auto listener = std::make_shared<Shared::Listener>(shared_->executors.front(), read_only);
  boost::system::error_code error;
  listener->acceptor.assign(Protocol(), listening_fd, error);
  if (error) return fail_errno(error.value(), "cannot accept on the socket that was handed over");
  shared_->begin(listener);
  return {};
}

void Door::stop_accepting() { shared_->stop_accepting(); }

void Door::close() {
  shared_->stop_accepting();
  std::set<std::shared_ptr<Session>> all;
  {
    std::lock_guard hold(shared_->mutex);
    shared_->closed = true;
    all = shared_->sessions;
  }
  for (const auto& session : all) session->close();
}

void Door::set_limits(const Limits& limits) {
  std::lock_guard hold(shared_->mutex);
  shared_->limits = limits;
}

std::vector<Count> Door::counts() const {
  const auto& common = *shared_->common;
  std::vector<Count> all{{.name = "clients", .value = sessions()},
                         {.name = "calls_in_flight", .value = calls_in_flight()},
                         {.name = "held_bytes", .value = common.held.total()}};
  const auto counted = common.counters.read();
  all.insert(all.end(), counted.begin(), counted.end());
  return all;
}

const Counters& Door::counters() const { return shared_->common->counters; }

std::size_t Door::calls_in_flight() const { return shared_->common->gate.inside(); }

std::size_t Door::sessions() const {
  std::lock_guard hold(shared_->mutex);
  return shared_->sessions.size();
}

bool Door::drain(Deadline deadline) {
  shared_->common->gate.close();
  return shared_->common->gate.wait_until_empty(deadline);
}

}  // namespace vireo::doors::libvirt
