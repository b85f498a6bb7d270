// The monitor's two loops (reading, writing) and the meeting of answers and askers.
#include "qmp/monitor.hpp"

#include <array>
#include <charconv>

#include "base/fault.hpp"
#include "base/log.hpp"

namespace vireo::qmp {

namespace {

constexpr std::size_t kBytesPerTurn = 16 * 1024;
constexpr std::size_t kMaxUnderWay = 256;
// What QEMU may say unasked in one span; then its monitor is not read until the span is over. A message counts one for
// each kilobyte begun.
constexpr std::size_t kUnaskedPerSpan = 1000;
constexpr std::size_t kBytesOfOne = 1024;
constexpr auto kSpan = std::chrono::seconds(1);
// QEMU reads its monitor byte by byte, with a turn of its main loop for each (docs/PERFORMANCE.md), so ids are short:
// two signs. They come round again after more commands than can be under way: a socket holds a few hundred, QEMU itself
// eight, and it answers in order.
constexpr int kIdBase = 36;
constexpr std::uint64_t kIds = kIdBase * kIdBase;
static_assert(kIds > 4 * kMaxUnderWay);
constexpr std::uint64_t kBegun = 0;  // the number of no command

std::string id_text(std::uint64_t id) {
  std::array<char, 2> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), id, kIdBase).ptr;
  return {text.data(), end};
}

// The number in one of our ids; 0 for anything else (numbers start at 1).
std::uint64_t id_number(const json::value* id) {
  if (!id || !id->is_string()) return 0;
  const std::string_view text(id->get_string());
  std::uint64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number, kIdBase);
  return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : 0;
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

Error closed_error() {
  return {.code = VIR_ERR_OPERATION_FAILED, .detail = "the guest's monitor connection is closed"};
}

}  // namespace

class Monitor::Place {
 public:
  Place(Self monitor, std::uint64_t id) : monitor_(std::move(monitor)), id_(id) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { monitor_->forget(id_); }

 private:
  Self monitor_;
  std::uint64_t id_;
};

Monitor::Monitor(Socket socket, MonitorSinks sinks)
    : socket_(std::move(socket)),
      sinks_(std::make_shared<const MonitorSinks>(std::move(sinks))),
      greeted_(socket_.get_executor()),
      pause_(socket_.get_executor()) {
  boost::system::error_code ignored;
  socket_.non_blocking(true, ignored);
}

std::shared_ptr<Monitor> Monitor::open(Socket socket, MonitorSinks sinks) {
  Self self(new Monitor(std::move(socket), std::move(sinks)));
  asio::co_spawn(self->socket_.get_executor(), read_loop(self), asio::detached);
  return self;
}

asio::awaitable<Result<void>> Monitor::handshake(Deadline deadline) {
  return do_handshake(shared_from_this(), deadline);
}

asio::awaitable<Result<json::object>> Monitor::exchange(json::object request, Deadline deadline,
                                                        std::source_location where) {
  // By no name of its own: it is a client's, and there is no end to what clients may ask.
  return do_exchange(shared_from_this(), std::move(request), deadline, WaitSite::at("monitor", "any command", where));
}

asio::awaitable<Result<json::value>> Monitor::execute(std::string command, json::object arguments, Deadline deadline,
                                                      std::source_location where) {
  return do_execute(shared_from_this(), std::move(command), std::move(arguments), deadline, where);
}

void Monitor::close() { fail_all(closed_error(), false); }

asio::awaitable<Result<void>> Monitor::do_handshake(Self self, Deadline deadline) {
  if (auto fault = fault::at("qmp.handshake"); !fault) co_return fault;
  const bool greeted = co_await self->greeted_.wait(deadline);
  if (self->failure_) co_return std::unexpected(*self->failure_);
  if (!greeted) co_return fail(VIR_ERR_OPERATION_TIMEOUT, "QEMU's monitor did not greet in time");
  auto answer =
      co_await do_execute(self, "qmp_capabilities", json::object(), deadline, std::source_location::current());
  if (!answer) co_return pass_on(answer);
  co_return Result<void>();
}

asio::awaitable<Result<json::value>> Monitor::do_execute(Self self, std::string command, json::object arguments,
                                                         Deadline deadline, std::source_location where) {
  WaitSite& site = WaitSite::at("monitor", command, where);
  json::object request;
  request["execute"] = command;
  if (!arguments.empty()) request["arguments"] = std::move(arguments);
  auto answer = co_await do_exchange(std::move(self), std::move(request), deadline, site);
  if (!answer) co_return pass_on(answer);
  if (const auto* error = answer->if_contains("error")) {
    const auto sentence = error->is_object() ? text_of(error->get_object(), "desc") : std::string();
    co_return fail(VIR_ERR_INTERNAL_ERROR, "unable to execute QEMU command '" + command + "': " + sentence);
  }
  co_return std::move(answer->at("return"));
}

asio::awaitable<Result<json::object>> Monitor::do_exchange(Self self, json::object request, Deadline deadline,
                                                           WaitSite& site) {
  if (self->failure_)
    co_return fail(VIR_ERR_OPERATION_FAILED, "the guest's monitor connection is closed; if it runs, try again later");
  if (auto fault = fault::at("qmp.exchange"); !fault) co_return pass_on(fault);
  if (self->pending_.size() >= kMaxUnderWay)
    co_return fail(VIR_ERR_RESOURCE_BUSY, "too many commands wait for this guest's monitor");

  const auto id = self->next_id();
  const auto name = text_of(request, "execute");
  std::optional<json::value> askers_id;
  if (auto* given = request.if_contains("id")) askers_id = std::move(*given);
  request["id"] = id_text(id);

  auto pending = std::make_shared<Pending>(self->socket_.get_executor());
  self->pending_.emplace(id, pending);
  Place place(self, id);
  self->send(id, json::serialize(request) + "\n");

  const auto asked = SteadyClock::now();
  co_await pending->wake.wait(deadline);
  site.add(SteadyClock::now() - asked, "QEMU");
  if (pending->reply) {
    if (askers_id) (*pending->reply)["id"] = std::move(*askers_id);
    co_return std::move(*pending->reply);
  }
  if (self->failure_) co_return std::unexpected(*self->failure_);
  co_return fail(VIR_ERR_OPERATION_TIMEOUT, "QEMU's monitor did not answer '" + name + "' in time");
}

// One that nobody waits for an answer to; there are fewer of those than ids.
std::uint64_t Monitor::next_id() {
  do last_id_ = last_id_ % (kIds - 1) + 1;
  while (pending_.contains(last_id_));
  return last_id_;
}

void Monitor::send(std::uint64_t id, std::string text) {
  // Nearly always the socket has room, and nothing has to wait for it.
  if (!writing_) {
    boost::system::error_code error;
    const auto sent = socket_.send(asio::buffer(text), 0, error);
    if (!error && sent == text.size()) return;
    // A command that has begun to be written is nobody's to take back. What is wrong with the socket shows there.
    if (!error && sent > 0) id = kBegun, text.erase(0, sent);
  }
  outbox_.push_back({.id = id, .text = std::move(text)});
  if (writing_) return;
  writing_ = true;
  asio::co_spawn(socket_.get_executor(), write_loop(shared_from_this()), asio::detached);
}

// The asker has gone. What has not begun to be written need not be asked at all.
void Monitor::forget(std::uint64_t id) {
  pending_.erase(id);
  std::erase_if(outbox_, [id](const Outgoing& o) { return o.id == id; });
}

asio::awaitable<void> Monitor::write_loop(Self self) {
  while (!self->failure_ && !self->outbox_.empty()) {
    const auto text = std::move(self->outbox_.front().text);
    self->outbox_.pop_front();
    boost::system::error_code error;
    co_await asio::async_write(self->socket_, asio::buffer(text), asio::redirect_error(asio::use_awaitable, error));
    // The reader tells why the connection ended; it may hold answers that came before the end.
    if (error) break;
  }
  self->writing_ = false;
}

asio::awaitable<void> Monitor::read_loop(Self self) {
  std::array<char, kBytesPerTurn> bytes;
  while (!self->failure_) {
    boost::system::error_code error;
    const auto count =
        co_await self->socket_.async_read_some(asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (self->failure_) co_return;
    if (error) {
      self->fail_all(closed_error(), true);
      co_return;
    }
    self->reader_.append(std::string_view(bytes.data(), count));
    if (auto taken = self->take_lines(); !taken) {
      log::warn("closing a guest's monitor: {}", taken.error().detail);
      self->fail_all(std::move(taken.error()), true);
    }
    if (self->unasked_ >= kUnaskedPerSpan) co_await rest(self);
  }
}

// Whoever floods the monitor waits: in the socket, where it costs nobody else anything.
asio::awaitable<void> Monitor::rest(Self self) {
  const auto now = SteadyClock::now();
  if (now < self->span_ends_ && !self->failure_) {
    self->pause_.expires_at(self->span_ends_);
    boost::system::error_code ignored;
    co_await self->pause_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  self->unasked_ = 0;
}

void Monitor::count_unasked(std::size_t bytes) {
  const auto now = SteadyClock::now();
  if (now >= span_ends_) {
    span_ends_ = now + kSpan;
    unasked_ = 0;
  }
  unasked_ += 1 + bytes / kBytesOfOne;
}

Result<void> Monitor::take_lines() {
  while (!failure_) {
    auto line = reader_.next();
    if (!line) return pass_on(line);
    if (!*line) break;
    if (auto taken = take(**line); !taken) return taken;
  }
  return {};
}

Result<void> Monitor::take(std::string_view line) {
  auto parsed = parse_object(line);
  if (!parsed) return pass_on(parsed);
  auto& message = *parsed;
  if (message.contains("return") || message.contains("error")) {
    const auto found = pending_.find(id_number(message.if_contains("id")));
    if (found == pending_.end() || found->second->reply) {
      count_unasked(line.size());  // came too late: nobody waits any more
      return {};
    }
    found->second->reply = std::move(message);
    found->second->wake.fire();
    return {};
  }
  count_unasked(line.size());
  if (auto name = text_of(message, "event"); !name.empty()) {
    Event event{.name = std::move(name), .data = {}};
    if (auto* data = message.if_contains("data"); data && data->is_object()) event.data = std::move(data->get_object());
    if (const auto sinks = sinks_; sinks->event) sinks->event(std::move(event));
    return {};
  }
  if (message.contains("QMP")) {
    greeted_.fire();
    return {};
  }
  return fail(VIR_ERR_INTERNAL_ERROR, "the monitor sent an object that is no QMP message");
}

void Monitor::fail_all(Error why, bool tell) {
  if (failure_) return;
  failure_ = std::move(why);
  boost::system::error_code ignored;
  socket_.close(ignored);
  outbox_.clear();
  greeted_.fire();
  pause_.cancel();
  for (auto& [id, pending] : pending_) pending->wake.fire();
  // The sinks often own what owns this monitor: letting go of them breaks the ring.
  const auto sinks = std::exchange(sinks_, std::make_shared<const MonitorSinks>());
  if (tell && sinks->closed) sinks->closed(*failure_);
}

}  // namespace vireo::qmp
