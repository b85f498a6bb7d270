// A client that says anything, to a session with the real handlers on a simulated host. Nothing may break, every reply
// must be readable, and when the client has gone, everything that it began comes to its end.
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "doors/libvirt/handlers/client_state.hpp"
#include "doors/libvirt/handlers/register.hpp"
#include "doors/libvirt/session.hpp"
#include "tests/fuzz/fuzz_host.hpp"
#include "tests/fuzz/session_script.hpp"

using namespace vireo;
using namespace vireo::doors::libvirt;
using fuzz::expect;

namespace {

// Simulated guests take no time, so who waits longer than this waits for ever. Generous: the machine may be busy.
constexpr auto patience = std::chrono::seconds(8);

asio::awaitable<void> echo(std::shared_ptr<Stream> stream) {
  for (;;) {
    auto got = co_await stream->receive();
    if (!got) co_return;
    if (!*got) break;
    auto sent = co_await stream->send(std::move(**got));
    if (!sent) co_return;
  }
  stream->finish();
}

// In place of the real one, which needs a terminal: simulated guests have none.
asio::awaitable<Result<Nothing>> open_echo(Call call, wire::remote_domain_open_console_args,
                                           std::shared_ptr<Stream> stream) {
  asio::co_spawn(call.session->executor(), echo(stream), asio::detached);
  co_return Nothing{};
}

class Conversation {
 public:
  Conversation(const fuzz::SessionScript& script, fuzz::Surroundings& around)
      : qemu_(context_, around), test_(context_, around), table_(context_.get_executor()) {
    register_all(table_);
    table_.stream(proc::Remote::domain_open_console, &open_echo);
    backends_.emplace(qemu_.host, test_.host, around.facts, around.workers);
    expect(run_until([&] { return running(qemu_.host) && running(test_.host); }), "the guests start");

    int ends[2];
    expect(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) == 0, "a socket can be made");
    client_ = ends[0];
    Session::Socket socket(context_);
    socket.assign(asio::local::stream_protocol(), ends[1]);
    session_ =
        std::make_shared<Session>(std::move(socket), Peer{.read_only = script.read_only()}, table_, Limits{}, common_);
    auto state = std::make_shared<ClientState>(*backends_);
    session_->state = state;
    session_->on_close([this, side = state->core_side] { asio::post(context_, [side] { side->end(); }); });
    session_->start([this](const auto&) { over_ = true; });
  }

  void greet(bool test) {
    say(make_frame({.program = proc::remote_program,
                    .version = 1,
                    .procedure = static_cast<std::int32_t>(proc::Remote::auth_list)},
                   {}));
    wire::remote_connect_open_args open;
    open.name = test ? "test:///default" : "qemu:///system";
    say(make_frame({.program = proc::remote_program,
                    .version = 1,
                    .procedure = static_cast<std::int32_t>(proc::Remote::connect_open),
                    .serial = 1},
                   *xdr::encode(open)));
  }

  void say(std::span<const std::byte> bytes) {
    while (!bytes.empty() && !over_) {
      const auto sent = ::send(client_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent > 0) bytes = bytes.subspan(static_cast<std::size_t>(sent));
      context_.restart();
      context_.poll();
      listen();
    }
  }
  void settle() {
    expect(run_until([&] { return gate_->inside() == 0; }), "every call ends by itself");
  }
  void leave() {
    ::close(std::exchange(client_, -1));
    expect(run_until([&] { return over_ && gate_->inside() == 0; }), "a session ends with its client");
    session_.reset();
    context_.restart();
    context_.run_for(patience);
    expect(context_.stopped(), "nothing waits for a client that has gone");
    // The worker outlives this input's event loop: it must have let go of it.
    while (backends_->workers.busy() != 0) std::this_thread::yield();
  }

 private:
  static bool running(core::Host& host) {
    const auto domains = host.registry.all();
    return domains.size() == 1 && domains.front()->view && domains.front()->view->state == VIR_DOMAIN_RUNNING;
  }
  template <class Done>
  bool run_until(Done done) {
    const auto deadline = SteadyClock::now() + patience;
    while (!done() && SteadyClock::now() < deadline) {
      context_.restart();
      context_.run_one_for(std::chrono::milliseconds(20));
      if (client_ >= 0) listen();
    }
    return done();
  }
  void listen() {
    for (;;) {
      const auto space = reader_.space();
      const auto got = ::recv(client_, space.data(), space.size(), 0);
      if (got <= 0) return;
      reader_.received(static_cast<std::size_t>(got));
      while (auto frame = reader_.next()) hear(*frame);
      expect(!reader_.broken(), "every frame from the daemon can be read");
    }
  }
  static void hear(const Frame& frame) {
    const auto type = frame.header.type;
    expect(type == Type::reply || type == Type::message || type == Type::stream, "a daemon only answers and tells");
    if (frame.header.status == Status::error)
      expect(xdr::decode<wire::remote_error>(frame.payload).has_value(), "every error can be read");
  }

  asio::io_context context_{1};
  fuzz::FuzzHost qemu_, test_;
  HandlerTable table_;
  std::optional<Backends> backends_;
  const std::shared_ptr<Common> common_ = std::make_shared<Common>();
  Gate* const gate_ = &common_->gate;
  std::shared_ptr<Session> session_;
  FrameReader reader_;
  int client_ = -1;
  bool over_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static fuzz::Surroundings around;
  fuzz::SessionScript script(data, size);
  Conversation conversation(script, around);
  if (!script.greets_itself()) conversation.greet(script.opens_test());
  while (script.more()) {
    const auto step = script.next();
    conversation.say(step.bytes);
    if (step.settle) conversation.settle();
  }
  conversation.leave();
  return 0;
}
