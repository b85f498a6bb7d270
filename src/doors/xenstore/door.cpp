// Accepting and ending connections.
#include "doors/xenstore/door.hpp"

#include <sys/resource.h>

#include <mutex>
#include <set>

#include "base/log.hpp"
#include "base/unix_listener.hpp"

namespace vireo::doors::xenstore {
namespace {

// A client whose descriptor would be among the last quarter of those that the process may have is turned away: guests
// need some, too. The system hands out the lowest that is free, so the number tells how many are in use.
bool descriptors_run_out(int descriptor) {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
         static_cast<rlim_t>(descriptor) >= limit.rlim_cur / 4 * 3;
}

}  // namespace

struct Door::Shared : std::enable_shared_from_this<Door::Shared> {
  Shared(asio::any_io_executor e, tree::Store& store, Services services, DoorLimits limits)
      : executor(e), all(std::make_shared<Sessions>(std::move(e), store, std::move(services), limits)) {}

  const asio::any_io_executor executor;
  const std::shared_ptr<Sessions> all;
  LogLimit refusals;
  // On the executor.
  std::set<std::shared_ptr<Session>> sessions;
  bool closed = false;

  std::mutex mutex;
  std::vector<std::shared_ptr<UnixListener>> listeners;

  void begin(const std::shared_ptr<UnixListener>& listener) {
    {
      const std::lock_guard hold(mutex);
      listeners.push_back(listener);
    }
    listener->accept([self = shared_from_this()] { return self->executor; },
                     [self = shared_from_this()](Socket socket) { self->serve(std::move(socket), 0); },
                     [self = shared_from_this()](const std::string& why) {
                       self->all->common.counters.accept_failures.add();
                       if (auto more = self->refusals.turn()) log::warn("cannot accept a client: {}{}", why, *more);
                     });
  }

  void serve(Socket socket, tree::DomainId domain) {
    if (closed) return;
    auto& common = all->common;
    const bool no_descriptors = descriptors_run_out(socket.native_handle());
    if (no_descriptors || sessions.size() >= common.limits.clients) {
      common.counters.clients_refused.add();
      if (auto more = refusals.turn())
        log::warn(
            "a client of the tree was turned away: {}{}",
            no_descriptors ? "the process runs out of descriptors" : fmt::format("{} are connected", sessions.size()),
            *more);
      return;
    }
    common.counters.clients_accepted.add();
    const auto session = std::make_shared<Session>(all, std::move(socket), domain);
    sessions.insert(session);
    session->start([weak = weak_from_this()](const std::shared_ptr<Session>& over) {
      const auto self = weak.lock();
      if (!self) return;
      self->sessions.erase(over);
      self->all->tidy();  // its watches, and what its transactions held
    });
  }

  void stop_accepting() {
    std::vector<std::shared_ptr<UnixListener>> those;
    {
      const std::lock_guard hold(mutex);
      those.swap(listeners);
    }
    for (const auto& listener : those) listener->stop();
  }
};

Door::Door(asio::any_io_executor executor, tree::Store& store, Services services, DoorLimits limits)
    : shared_(std::make_shared<Shared>(std::move(executor), store, std::move(services), limits)) {
  store.listen([weak = std::weak_ptr(shared_->all)](const tree::Commit& commit) {
    if (const auto all = weak.lock()) all->announce(commit);
  });
}

Door::~Door() { close(); }

Result<void> Door::listen(const std::filesystem::path& path, std::filesystem::perms mode) {
  auto listener = std::make_shared<UnixListener>(shared_->executor);
  if (auto listening = listener->listen(path, mode); !listening) return listening;
  shared_->begin(listener);
  return {};
}

void Door::stop_accepting() { shared_->stop_accepting(); }

void Door::close() {
  shared_->stop_accepting();
  asio::post(shared_->executor, [shared = shared_] {
    shared->closed = true;
    const auto those = std::exchange(shared->sessions, {});
    for (const auto& session : those) session->close();
  });
}

std::vector<Count> Door::counters() const { return shared_->all->common.counters.read(); }

void Door::serve(Socket socket, tree::DomainId domain) { shared_->serve(std::move(socket), domain); }

void Door::introduce(tree::DomainId domain) { shared_->all->common.introduce(domain); }

void Door::release(tree::DomainId domain) { shared_->all->common.release(domain); }

}  // namespace vireo::doors::xenstore
