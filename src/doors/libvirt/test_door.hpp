// For this room's tests only: a core thread, a door thread and a few toy handlers behind a session, so that tests can
// hold a call open, see it cancelled and look at a stream from both ends.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "doors/libvirt/test_client.hpp"

namespace vireo::doors::libvirt::testing {

// What the toys and the tests tell each other.
class Story {
 public:
  void add(const std::string& line) {
    std::lock_guard hold(mutex_);
    lines_.push_back(line);
    changed_.notify_all();
  }
  // False: it did not happen in time.
  bool has(const std::string& line) {
    std::unique_lock hold(mutex_);
    return changed_.wait_for(hold, std::chrono::milliseconds(patience_ms),
                             [&] { return std::ranges::count(lines_, line) > 0; });
  }
  std::ptrdiff_t count(const std::string& line) {
    std::lock_guard hold(mutex_);
    return std::ranges::count(lines_, line);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> lines_;
};

// What a toy handler finds in its session.
struct ToyState : SessionState {
  ToyState(Story& s, const asio::any_io_executor& core) : story(s), release(core, SteadyClock::time_point::max()) {}
  int error_domain() const override { return VIR_FROM_TEST; }
  Story& story;
  asio::steady_timer release;  // core thread; cancelled by the call that lets the held ones go
};

inline Result<Nothing> toy_open(const Call&, const wire::remote_connect_open_args& args) {
  if (args.name == "foo:///") return fail_from(VIR_FROM_NONE, VIR_ERR_NO_CONNECT, "foo:///");
  return Nothing{};
}

inline Result<wire::remote_domain_lookup_by_name_ret> toy_lookup(const Call&,
                                                                 const wire::remote_domain_lookup_by_name_args& args) {
  if (args.name == "nope") return fail(VIR_ERR_NO_DOMAIN, "no domain with matching name 'nope'");
  wire::remote_domain_lookup_by_name_ret ret;
  ret.dom.name = args.name;
  return ret;
}

// As large a reply as the asked number of bytes.
inline Result<wire::remote_domain_get_xml_desc_ret> toy_xml(const Call&,
                                                            const wire::remote_domain_get_xml_desc_args& args) {
  wire::remote_domain_get_xml_desc_ret ret;
  ret.xml.assign(static_cast<std::size_t>(args.dom.id), 'x');
  return ret;
}

// Held until a resume comes, or cancelled.
inline asio::awaitable<Result<Nothing>> toy_suspend(Call call, wire::remote_domain_suspend_args args) {
  auto& state = call.state_as<ToyState>();
  state.story.add("holding " + args.dom.name);
  boost::system::error_code woken;
  co_await state.release.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  const auto cancelled = (co_await asio::this_coro::cancellation_state).cancelled();
  state.story.add((cancelled == asio::cancellation_type::none ? "released " : "cancelled ") + args.dom.name);
  co_return Nothing{};
}

inline asio::awaitable<Result<Nothing>> toy_resume(Call call, wire::remote_domain_resume_args) {
  call.state_as<ToyState>().release.cancel();
  co_return Nothing{};
}

inline asio::awaitable<Result<Nothing>> toy_throw(Call, wire::remote_domain_destroy_args) {
  throw std::runtime_error("the toy broke");
  co_return Nothing{};
}

inline asio::awaitable<void> echo(Call call, std::shared_ptr<Stream> stream) {
  auto& story = call.state_as<ToyState>().story;
  for (;;) {
    auto got = co_await stream->receive();
    if (!got) {
      story.add("receive failed: " + got.error().detail);
      co_return;
    }
    if (!*got) break;
    auto sent = co_await stream->send(std::move(**got));
    if (!sent) {
      story.add("send failed: " + sent.error().detail);
      co_return;
    }
  }
  story.add("client finished");
  stream->finish();
}

inline asio::awaitable<void> flood(Call call, std::shared_ptr<Stream> stream) {
  auto& story = call.state_as<ToyState>().story;
  for (int i = 0; i < 64; ++i) {
    auto sent = co_await stream->send(Bytes(100'000, static_cast<std::byte>(i)));
    if (!sent) {
      story.add("send failed: " + sent.error().detail);
      co_return;
    }
    story.add("sent one");
  }
  stream->finish();
  auto end = co_await stream->receive();
  story.add(end ? "client finished, too" : "receive failed: " + end.error().detail);
}

// By the console's name: echoes, floods, refuses, or aborts.
inline asio::awaitable<Result<Nothing>> toy_console(Call call, wire::remote_domain_open_console_args args,
                                                    std::shared_ptr<Stream> stream) {
  const auto kind = args.dev_name.value_or("echo");
  if (kind == "refuse") co_return fail(VIR_ERR_OPERATION_FAILED, "no console");
  auto executor = co_await asio::this_coro::executor;
  if (kind == "flood") asio::co_spawn(executor, flood(call, stream), asio::detached);
  if (kind == "echo") asio::co_spawn(executor, echo(call, stream), asio::detached);
  if (kind == "abort") stream->abort({.code = VIR_ERR_OPERATION_FAILED, .detail = "the console broke"});
  co_return Nothing{};
}

// An io_context with its thread.
class Thread {
 public:
  Thread() : thread_([this] { context_.run(); }) {}
  ~Thread() { end(); }
  // Lets it finish what it has.
  void end() {
    work_.reset();
    if (thread_.joinable()) thread_.join();
  }
  // After end(): runs what the other thread's end has posted here.
  void sweep() {
    context_.restart();
    context_.poll();
  }
  asio::any_io_executor executor() { return context_.get_executor(); }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{context_.get_executor()};
  std::thread thread_;
};

class DoorTest : public ::testing::Test {
 protected:
  DoorTest() : table_(core_.executor()) {
    using enum proc::Remote;
    table_.read(connect_open, &toy_open);
    table_.read(domain_lookup_by_name, &toy_lookup);
    table_.read(domain_get_xml_desc, &toy_xml);
    table_.change(domain_suspend, &toy_suspend);
    table_.change(domain_resume, &toy_resume);
    table_.change(domain_destroy, &toy_throw);
    table_.stream(domain_open_console, &toy_console);
  }
  ~DoorTest() override {
    for (const auto& session : sessions_) session->close();
    // Calls and streams come home before the threads that they need are gone.
    EXPECT_TRUE(gate_->wait_until_empty(Deadline::in(std::chrono::milliseconds(patience_ms))));
    core_.end();
    door_.end();
    core_.sweep();
    door_.sweep();
  }

  Client connect(bool read_only = false) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Session::Socket socket(door_.executor());
    socket.assign(asio::local::stream_protocol(), ends[1]);
    auto session = std::make_shared<Session>(std::move(socket), Peer{.read_only = read_only}, table_, limits_, common_);
    session->state = std::make_shared<ToyState>(story_, core_.executor());
    sessions_.push_back(session);
    asio::post(door_.executor(), [this, session] {
      session->on_close([this] { story_.add("hook"); });
      session->start([this](const std::shared_ptr<Session>&) { story_.add("session over"); });
    });
    return Client(ends[0]);
  }
  Client connect_and_greet(bool read_only = false) {
    auto client = connect(read_only);
    client.greet();
    return client;
  }
  template <class Args>
  static Args on(const std::string& name) {
    Args args;
    args.dom.name = name;
    return args;
  }

  Limits limits_;
  Story story_;
  std::shared_ptr<Common> common_ = std::make_shared<Common>();
  Gate* const gate_ = &common_->gate;
  Thread core_, door_;
  HandlerTable table_;
  std::vector<std::shared_ptr<Session>> sessions_;
};

}  // namespace vireo::doors::libvirt::testing
