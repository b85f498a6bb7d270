// Reading, answering and writing, with Boost.Beast.
#include "doors/http/session.hpp"

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/json/serialize.hpp>

#include "base/log.hpp"
#include "doors/http/target.hpp"

namespace vireo::doors::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using Error = boost::system::error_code;

// A client that sent too much is read out for so long, or it would lose the answer together with the connection.
constexpr std::chrono::milliseconds linger{1000};
constexpr std::size_t linger_bytes = 4 << 20;

// Until when a report has to be there; others may be made before it.
constexpr std::chrono::seconds report_patience{30};

// What a request that cannot be read is answered with; nothing where nobody would read it.
std::optional<Response> refusal_of(const Error& error) {
  if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow)
    return refusal(431, "header_too_large", "the head of the request is too long");
  if (error == bhttp::error::body_limit) return refusal(413, "body_too_large", "the body of the request is too long");
  if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message) return std::nullopt;
  if (error.category() == Error(bhttp::error::bad_target).category())
    return refusal(400, "bad_request", "this is no HTTP/1.1 request: " + error.message());
  return std::nullopt;
}

bhttp::response<bhttp::string_body> to_wire(Response response, unsigned version, bool keep_alive) {
  bhttp::response<bhttp::string_body> out(static_cast<bhttp::status>(response.status), version);
  out.set(bhttp::field::server, "vireod/" VIREO_VERSION);
  out.set(bhttp::field::content_type, response.text_type.empty() ? "application/json" : response.text_type);
  if (!response.allow.empty()) out.set(bhttp::field::allow, response.allow);
  out.keep_alive(keep_alive);
  out.body() = response.text_type.empty() ? json::serialize(response.body) + "\n" : std::move(response.text);
  out.prepare_payload();
  return out;
}

class BeastSession final : public Session, public std::enable_shared_from_this<BeastSession> {
 public:
  BeastSession(StreamSocket socket, std::shared_ptr<Shared> shared)
      : stream_(std::move(socket)), shared_(std::move(shared)) {}

  void start(Ended ended) override {
    ended_ = std::move(ended);
    auto self = shared_from_this();
    asio::co_spawn(stream_.get_executor(), serve(self), [self](const std::exception_ptr& thrown) {
      // Out of memory, at worst; it costs this client its connection and nobody else anything.
      if (thrown) log::error("an HTTP client's connection was dropped: serving it failed");
      self->stream_.close();
      self->ended_(self);
    });
  }

  void close() override {
    asio::post(stream_.get_executor(), [self = shared_from_this()] { self->stream_.close(); });
  }

 private:
  static asio::awaitable<void> serve(std::shared_ptr<BeastSession> self) {
    const auto& limits = self->shared_->limits;
    beast::flat_buffer buffer(limits.header_bytes + limits.body_bytes);
    for (bool more = true; more;) {
      bhttp::request_parser<bhttp::string_body> parser;
      parser.header_limit(limits.header_bytes);
      parser.body_limit(limits.body_bytes);
      self->stream_.expires_after(limits.idle_timeout);
      Error error;
      co_await bhttp::async_read(self->stream_, buffer, parser, asio::redirect_error(asio::use_awaitable, error));
      if (error == beast::error::timeout) ++self->shared_->timed_out;
      auto response = error ? refusal_of(error) : std::optional<Response>();
      if (error && !response) co_return;
      ++self->shared_->requests;
      more = !error && parser.get().keep_alive();
      const unsigned version = error ? 11 : parser.get().version();
      if (!error) response = co_await answer(self, parser.release());
      if (response->status >= 400) ++self->shared_->refused;

      auto out = to_wire(std::move(*response), version, more);
      self->stream_.expires_after(limits.write_timeout);
      Error broken;
      co_await bhttp::async_write(self->stream_, out, asio::redirect_error(asio::use_awaitable, broken));
      if (broken) co_return;
      if (error) co_await read_out(self);
    }
  }

  // Answers a read here, a report on a worker and a change on the core thread; the caller goes on when it is done.
  static asio::awaitable<Response> answer(std::shared_ptr<BeastSession> self,
                                          bhttp::request<bhttp::string_body> message) {
    Request request{.method = std::string(message.method_string())};
    const auto target = message.target();
    auto path = parse_target({target.data(), target.size()});
    if (!path) co_return refusal(path.error());
    request.path = std::move(*path);
    const auto accept = message[bhttp::field::accept];
    request.accept.assign(accept.data(), accept.size());
    const auto route = find_route(self->shared_->table, request);
    if (!route) co_return route.error();
    try {
      if (const auto* read = std::get_if<Read>(&(*route)->handler)) co_return (*read)(self->shared_->services, request);
      if (const auto* report = std::get_if<Report>(&(*route)->handler))
        co_return co_await make_report(self, *report, std::move(request));
      const auto pass = self->shared_->gate.enter();
      if (!pass) co_return refusal(503, "shutting_down", "vireod is shutting down and makes no more changes");
      request.body = std::move(message.body());
      co_return co_await make_change(self, std::get<Change>((*route)->handler), std::move(request));
    } catch (const std::exception& e) {
      log::error("{} {} failed: {}", std::string_view(message.method_string()), std::string_view(message.target()),
                 e.what());
    }
    co_return refusal(500, "internal_error", "the request failed; the daemon's log says why");
  }

  static asio::awaitable<Response> make_report(std::shared_ptr<BeastSession> self, Report report, Request request) {
    const auto& services = self->shared_->services;
    std::move_only_function<Result<Response>()> work = [report, &services, request = std::move(request)] {
      return Result<Response>(report.make(services, request));
    };
    auto made = co_await services.scrapes.run<Response>(std::move(work), Deadline::in(report_patience));
    if (!made) co_return refusal(made.error());
    co_return std::move(*made);
  }

  // A change under way.
  struct Running {
    asio::cancellation_signal cancel;  // core thread: given when the client has gone, unless it has ended
    bool ended = false;
    asio::cancellation_signal unwatch;  // session's executor
    bool answered = false;
  };

  // On the core thread.
  static asio::awaitable<Response> perform(Change change, const Services& services, Request request,
                                           std::shared_ptr<Running> running) {
    struct Ending {
      std::shared_ptr<Running> running;
      ~Ending() { running->ended = true; }
    };
    const Ending ending{std::move(running)};
    co_return co_await change(services, std::move(request));
  }

  // Cancels the change when the client goes away: when the system says that its end of the connection is closed. What
  // it may have sent meanwhile stays unread.
  void watch(const std::shared_ptr<Running>& running) {
    stream_.socket().async_wait(
        asio::socket_base::wait_error,
        asio::bind_cancellation_slot(running->unwatch.slot(), [running, core = shared_->core](Error) {
          if (running->answered) return;
          asio::post(core, [running] {
            if (!running->ended) running->cancel.emit(asio::cancellation_type::terminal);
          });
        }));
  }

  static asio::awaitable<Response> make_change(std::shared_ptr<BeastSession> self, Change change, Request request) {
    auto running = std::make_shared<Running>();
    self->watch(running);
    std::exception_ptr thrown;
    Response response;
    try {
      response = co_await asio::co_spawn(self->shared_->core,
                                         perform(change, self->shared_->services, std::move(request), running),
                                         asio::bind_cancellation_slot(running->cancel.slot(), asio::use_awaitable));
    } catch (...) {
      thrown = std::current_exception();
    }
    running->answered = true;
    running->unwatch.emit(asio::cancellation_type::terminal);
    if (thrown) std::rethrow_exception(thrown);
    co_return response;
  }

  // Takes and forgets what a refused client is still sending.
  static asio::awaitable<void> read_out(std::shared_ptr<BeastSession> self) {
    Error error;
    self->stream_.socket().shutdown(asio::socket_base::shutdown_send, error);
    self->stream_.expires_after(linger);
    std::array<char, 4096> waste;
    for (std::size_t taken = 0; !error && taken < linger_bytes;)
      taken +=
          co_await self->stream_.async_read_some(asio::buffer(waste), asio::redirect_error(asio::use_awaitable, error));
  }

  beast::basic_stream<asio::generic::stream_protocol, asio::any_io_executor> stream_;
  const std::shared_ptr<Shared> shared_;
  Ended ended_;
};

}  // namespace

std::shared_ptr<Session> Session::make(StreamSocket socket, std::shared_ptr<Shared> shared) {
  return std::make_shared<BeastSession>(std::move(socket), std::move(shared));
}

}  // namespace vireo::doors::http
