// Accepting, counting and ending connections. The list of sessions is the only thing here that several threads share.
#include "doors/libvirt/door.hpp"

#include <sys/resource.h>
#include <sys/socket.h>

#include "base/log.hpp"
#include "base/unix_listener.hpp"

namespace vireo::doors::libvirt {
namespace {

// A client whose descriptor would be among the last quarter of those that the process may have is turned away: guests
// need some, too. The system hands out the lowest that is free, so the number tells how many are in use.
bool descriptors_run_out(int descriptor) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<rlim_t>(descriptor) >= limit.rlim_cur / 4 * 3;
}

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
  // One of the door's sockets, and how many clients came by it.
  struct Entrance {
    Entrance(const asio::any_io_executor& executor, bool ro)
        : listener(std::make_shared<UnixListener>(executor)), read_only(ro) {}
    const std::shared_ptr<UnixListener> listener;
    const bool read_only;
    std::atomic<std::size_t> clients{0};
  };

  Shared(std::vector<asio::any_io_executor> e, const HandlerTable& t, Limits l, Welcome w)
      : executors(std::move(e)), table(t), welcome(std::move(w)), limits(l) {}

  const std::vector<asio::any_io_executor> executors;
  const HandlerTable& table;
  const Welcome welcome;
  const std::shared_ptr<Common> common = std::make_shared<Common>();

  CountedMutex mutex{"sessions (libvirt)"};
  Limits limits;
  std::vector<std::shared_ptr<Entrance>> entrances;
  std::set<std::shared_ptr<Session>> sessions;
  std::size_t next_executor = 0;
  bool closed = false;

  void begin(const std::shared_ptr<Entrance>& entrance) {
    {
      const CountedMutex::Hold hold(mutex);
      entrances.push_back(entrance);
    }
    entrance->listener->accept(
        [self = shared_from_this()] { return self->next(); },
        [self = shared_from_this(), entrance](Session::Socket socket) { self->admit(std::move(socket), entrance); },
        [self = shared_from_this()](const std::string& why) { self->cannot_accept(why); });
  }

  void cannot_accept(const std::string& why) {
    common->counters.accept_failures.add();
    if (auto more = common->refusals.turn()) log::warn("cannot accept a client: {}{}", why, *more);
  }

  asio::any_io_executor next() {
    const CountedMutex::Hold hold(mutex);
    return executors[next_executor++ % executors.size()];
  }

  void admit(Session::Socket socket, const std::shared_ptr<Entrance>& entrance) {
    auto& counters = common->counters;
    const auto peer = peer_of(socket, entrance->read_only);
    const bool no_descriptors = descriptors_run_out(socket.native_handle());
    std::shared_ptr<Session> session;
    {
      const CountedMutex::Hold hold(mutex);
      if (closed) return;
      if (!no_descriptors && entrance->clients < limits.sessions) {
        session = std::make_shared<Session>(std::move(socket), peer, table, limits, common);
        sessions.insert(session);
        ++entrance->clients;
      }
    }
    if (!session) {
      (no_descriptors ? counters.clients_refused_descriptors : counters.clients_refused_limit).add();
      if (auto more = common->refusals.turn())
        log::warn("a client was turned away (pid {}, uid {}): {}{}", peer.pid, peer.uid,
                  no_descriptors ? "the process runs out of descriptors"
                                 : fmt::format("{} are connected, see max_clients", entrance->clients.load()),
                  *more);
      return;
    }
    counters.clients_accepted.add();
    asio::post(session->executor(), [self = shared_from_this(), session, entrance] {
      if (self->welcome) self->welcome(*session);
      session->start([self, entrance](const std::shared_ptr<Session>& over) {
        const CountedMutex::Hold hold(self->mutex);
        self->sessions.erase(over);
        --entrance->clients;
      });
    });
  }

  void stop_accepting() {
    std::vector<std::shared_ptr<Entrance>> all;
    {
      const CountedMutex::Hold hold(mutex);
      all.swap(entrances);
    }
    for (const auto& entrance : all) entrance->listener->stop();
  }
};

Door::Door(std::vector<asio::any_io_executor> executors, const HandlerTable& table, Limits limits, Welcome welcome)
    : shared_(std::make_shared<Shared>(std::move(executors), table, limits, std::move(welcome))) {}

Door::~Door() { close(); }

Result<void> Door::listen(const std::filesystem::path& path, std::filesystem::perms mode, bool read_only) {
  auto entrance = std::make_shared<Shared::Entrance>(shared_->executors.front(), read_only);
  if (auto listening = entrance->listener->listen(path, mode); !listening) return listening;
  shared_->begin(entrance);
  return {};
}

Result<void> Door::adopt(int listening_fd, bool read_only) {
  auto entrance = std::make_shared<Shared::Entrance>(shared_->executors.front(), read_only);
  if (auto adopted = entrance->listener->adopt(listening_fd); !adopted) return adopted;
  shared_->begin(entrance);
  return {};
}

void Door::stop_accepting() { shared_->stop_accepting(); }

void Door::close() {
  shared_->stop_accepting();
  std::set<std::shared_ptr<Session>> all;
  {
    const CountedMutex::Hold hold(shared_->mutex);
    shared_->closed = true;
    all = shared_->sessions;
  }
  for (const auto& session : all) session->close();
}

void Door::set_limits(const Limits& limits) {
  const CountedMutex::Hold hold(shared_->mutex);
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

std::vector<Latency> Door::latencies() const { return shared_->common->latencies.read(); }

std::size_t Door::calls_in_flight() const { return shared_->common->gate.inside(); }

std::size_t Door::sessions() const {
  const CountedMutex::Hold hold(shared_->mutex);
  return shared_->sessions.size();
}

bool Door::drain(Deadline deadline) {
  shared_->common->gate.close();
  return shared_->common->gate.wait_until_empty(deadline);
}

}  // namespace vireo::doors::libvirt
