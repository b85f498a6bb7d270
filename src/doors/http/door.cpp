// Accepting, counting and ending connections. The list of sessions is the only thing here that several threads share.
#include "doors/http/door.hpp"

#include "base/log.hpp"

namespace vireo::doors::http {

struct Door::Listening : std::enable_shared_from_this<Door::Listening> {
  Listening(std::vector<asio::any_io_executor> e, std::shared_ptr<Shared> s, std::string_view n)
      : executors(std::move(e)), shared(std::move(s)), name(n) {}

  const std::vector<asio::any_io_executor> executors;
  const std::shared_ptr<Shared> shared;
  const std::string_view name;
  std::size_t next_executor = 0;  // first executor only
  std::atomic<std::uint64_t> turned_away{0};

  mutable CountedMutex mutex{"sessions (http)"};
  std::vector<std::function<void()>> stop_listeners;
  std::set<std::shared_ptr<Session>> sessions;
  bool closed = false;

  asio::any_io_executor next() { return executors[next_executor++ % executors.size()]; }

  template <class AnyListener>
  void begin(const std::shared_ptr<AnyListener>& listener) {
    {
      const CountedMutex::Hold hold(mutex);
      stop_listeners.emplace_back([listener] { listener->stop(); });
    }
    listener->accept(
        [self = shared_from_this()] { return self->next(); },
        [self = shared_from_this()](typename AnyListener::Protocol::socket socket) { self->admit(std::move(socket)); },
        [](const std::string& why) { log::warn("cannot accept a client of the HTTP door: {}", why); });
  }

  void admit(StreamSocket socket) {
    auto session = Session::make(std::move(socket), shared);
    {
      const CountedMutex::Hold hold(mutex);
      if (closed) return;
      if (sessions.size() >= shared->limits.connections) {
        ++turned_away;
        return;
      }
      sessions.insert(session);
    }
    session->start([self = shared_from_this()](const std::shared_ptr<Session>& over) {
      const CountedMutex::Hold hold(self->mutex);
      self->sessions.erase(over);
    });
  }
};

Door::Door(std::vector<asio::any_io_executor> executors, asio::any_io_executor core, const Services& services,
           Limits limits, std::span<const Route> table, std::string_view name)
    : listening_(std::make_shared<Listening>(
          std::move(executors), std::make_shared<Shared>(table, services, std::move(core), limits), name)) {}

Door::~Door() { close(); }

Result<void> Door::listen(const std::filesystem::path& path, std::filesystem::perms mode) {
  auto listener = std::make_shared<UnixListener>(listening_->executors.front());
  if (auto ok = listener->listen(path, mode); !ok) return ok;
  listening_->begin(listener);
  return {};
}

Result<unsigned short> Door::listen(const asio::ip::tcp::endpoint& at) {
  auto listener = std::make_shared<TcpListener>(listening_->executors.front());
  if (auto ok = listener->listen(at); !ok) return pass_on(ok);
  const auto port = listener->port();
  listening_->begin(listener);
  return port;
}

void Door::stop_accepting() {
  std::vector<std::function<void()>> all;
  {
    const CountedMutex::Hold hold(listening_->mutex);
    all.swap(listening_->stop_listeners);
  }
  for (const auto& stop : all) stop();
}

void Door::close() {
  stop_accepting();
  std::set<std::shared_ptr<Session>> all;
  {
    const CountedMutex::Hold hold(listening_->mutex);
    listening_->closed = true;
    // Let go of here: a session whose thread ends before it notices would never take itself off the list.
    all.swap(listening_->sessions);
  }
  for (const auto& session : all) session->close();
}

bool Door::drain(Deadline deadline) {
  listening_->shared->gate.close();
  return listening_->shared->gate.wait_until_empty(deadline);
}

std::vector<Counter> Door::counters() const {
  std::size_t connections = 0;
  {
    const CountedMutex::Hold hold(listening_->mutex);
    connections = listening_->sessions.size();
  }
  const auto& shared = *listening_->shared;
  const auto group = listening_->name;
  return {{group, "connections", connections},    {group, "turned_away", listening_->turned_away},
          {group, "requests", shared.requests},   {group, "refused", shared.refused},
          {group, "timed_out", shared.timed_out}, {group, "calls_in_flight", shared.gate.inside()}};
}

}  // namespace vireo::doors::http
