// What a handler is and how it is registered. A handler is a named function over plain structures: the table decodes
// the arguments before and encodes the reply after it. Handlers know nothing of frames, serials or sockets.
//
//   Result<wire::remote_domain_get_info_ret> get_info(const Call&, const wire::remote_domain_get_info_args&);
//   table.read(proc::Remote::domain_get_info, &get_info);
#pragma once

#include <exception>
#include <span>

#include "base/deadline.hpp"
#include "base/error.hpp"
#include "base/wait_site.hpp"
#include "doors/libvirt/procedure.hpp"
#include "doors/libvirt/stream.hpp"
#include "doors/libvirt/xdr.hpp"

namespace vireo::doors::libvirt {

class Session;

// What the handlers keep for one connection: the driver that was opened, subscriptions. The room's handlers derive
// from it; the session holds it. Belongs to the session's executor unless the derived class says otherwise.
class SessionState {
 public:
  virtual ~SessionState() = default;
  // VIR_FROM_QEMU, VIR_FROM_TEST: stands in for an error that names no domain of its own.
  virtual int error_domain() const { return VIR_FROM_NONE; }
};

// One call as its handler sees it.
struct Call {
  std::shared_ptr<Session> session;
  std::shared_ptr<SessionState> state;  // the session's, as it was when the call arrived
  const Procedure* row = nullptr;
  std::uint32_t serial = 0;

  template <class State>
  State& state_as() const {
    return static_cast<State&>(*state);
  }
};

// How a call that left the door thread comes back to it. Made by the session.
class Pending {
 public:
  using Encode = std::function<Result<Bytes>()>;
  virtual ~Pending() = default;
  // Any thread, once: `encode` runs on the session's executor and makes the reply.
  virtual void finish(Encode encode) = 0;

  // Both belong to the core executor: fired when the client goes away, unless the handler has come to its end.
  asio::cancellation_signal cancel;
  bool ended = false;
};

class HandlerTable {
 public:
  // `core`: where changes run. Handlers are registered before the first connection and never after.
  explicit HandlerTable(asio::any_io_executor core);

  // Answered at once on the session's own thread: a read never waits.
  template <class Number, class Args, class Ret>
  void read(Number number, Result<Ret> (*fn)(const Call&, const Args&)) {
    at(number).read = [fn](const Call& call, std::span<const std::byte> payload) -> Result<Bytes> {
      auto args = decode_args<Args>(payload);
      if (!args) return pass_on(args);
      auto ret = fn(call, *args);
      if (!ret) return pass_on(ret);
      return encode_ret(*ret);
    };
  }

  // Runs as a coroutine on the core executor; cancelled (terminal) when the client goes away.
  template <class Number, class Args, class Ret>
  void change(Number number, asio::awaitable<Result<Ret>> (*fn)(Call, Args),
              std::source_location where = std::source_location::current()) {
    at(number).change = [this, fn, site = core_queue(where)](Call call, std::span<const std::byte> payload,
                                                             std::shared_ptr<Pending> pending) -> Result<void> {
      auto args = decode_args<Args>(payload);
      if (!args) return pass_on(args);
      launch<Ret>(fn(std::move(call), std::move(*args)), std::move(pending), site);
      return {};
    };
  }

  // Tried as a read first: what needs nobody else is answered where it stands, and the rest goes the way of a change.
  template <class Number, class Args, class Ret>
  void read_or_change(Number number, Result<std::optional<Ret>> (*read)(const Call&, const Args&),
                      asio::awaitable<Result<Ret>> (*fn)(Call, Args),
                      std::source_location where = std::source_location::current()) {
    at(number).change = [this, read, fn, site = core_queue(where)](Call call, std::span<const std::byte> payload,
                                                                   std::shared_ptr<Pending> pending) -> Result<void> {
      auto args = decode_args<Args>(payload);
      if (!args) return pass_on(args);
      auto at_once = read(call, *args);
      if (!at_once) return pass_on(at_once);
      if (*at_once)
        pending->finish([ret = std::move(**at_once)] { return encode_ret(ret); });
      else
        launch<Ret>(fn(std::move(call), std::move(*args)), std::move(pending), site);
      return {};
    };
  }

  // The same in two steps: `prepare` runs on the session's own thread, as a read does, and `fn` gets what it made. For
  // work that needs only the arguments, such as reading a document, and would cost the core thread more than a hop.
  template <class Number, class Args, class Prepared, class Ret>
  void change(Number number, Prepared (*prepare)(Args), asio::awaitable<Result<Ret>> (*fn)(Call, Prepared),
              std::source_location where = std::source_location::current()) {
    at(number).change = [this, prepare, fn, site = core_queue(where)](
                            Call call, std::span<const std::byte> payload,
                            std::shared_ptr<Pending> pending) -> Result<void> {
      auto args = decode_args<Args>(payload);
      if (!args) return pass_on(args);
      launch<Ret>(fn(std::move(call), prepare(std::move(*args))), std::move(pending), site);
      return {};
    };
  }

  // Like change, for a procedure that carries a stream. The stream is open before `fn` starts; the reply goes out when
  // `fn` returns, so what goes on with the stream after the reply is spawned by `fn`. A failure ends the stream.
  template <class Number, class Args, class Ret>
  void stream(Number number, asio::awaitable<Result<Ret>> (*fn)(Call, Args, std::shared_ptr<Stream>),
              std::source_location where = std::source_location::current()) {
    at(number).stream = [this, fn, site = core_queue(where)](Call call, std::span<const std::byte> payload,
                                                             std::shared_ptr<Stream> stream,
                                                             std::shared_ptr<Pending> pending) -> Result<void> {
      auto args = decode_args<Args>(payload);
      if (!args) return pass_on(args);
      launch<Ret>(fn(std::move(call), std::move(*args), std::move(stream)), std::move(pending), site);
      return {};
    };
  }

  // For a row that read-only callers may use under a condition (ReadOnly::depends): true means refused. `what` says
  // what was forbidden; without it, "read only access prevents" and the public function's name. libvirt's own
  // conditions are there from the start.
  template <class Number, class Args>
  void refuse_read_only_if(Number number, bool (*refused)(const Args&), std::string what = {}) {
    at(number).refused_what = std::move(what);
    at(number).refuse_read_only = [refused](std::span<const std::byte> payload) {
      auto args = decode_args<Args>(payload);
      return args && refused(*args);  // whoever decodes a broken payload next will say so
    };
  }

  struct Entry {
    std::function<Result<Bytes>(const Call&, std::span<const std::byte>)> read;
    std::function<Result<void>(Call, std::span<const std::byte>, std::shared_ptr<Pending>)> change;
    std::function<Result<void>(Call, std::span<const std::byte>, std::shared_ptr<Stream>, std::shared_ptr<Pending>)>
        stream;
    std::function<bool(std::span<const std::byte>)> refuse_read_only;
    std::string refused_what;

    bool handled() const { return read || change || stream; }
  };

  // Null for a row that the table has no place for (events, keepalive).
  const Entry* find(const Procedure& row) const;
  const asio::any_io_executor& core() const { return core_; }

 private:
  Entry& at(proc::Remote number) { return remote_[static_cast<std::size_t>(number)]; }
  Entry& at(proc::Qemu number) { return qemu_[static_cast<std::size_t>(number)]; }

  template <class Args>
  static Result<Args> decode_args(std::span<const std::byte> payload) {
    return xdr::decode<Args>(payload);
  }
  template <class Ret>
  static Result<Bytes> encode_ret(const Ret& ret) {
    return xdr::encode(ret);
  }

  // The wait for the core thread is that of the line which registered the procedure: it names the call.
  static WaitSite* core_queue(std::source_location where) { return &WaitSite::at("queue", "core thread", where); }

  template <class Ret>
  static asio::awaitable<Result<Ret>> on_core(asio::awaitable<Result<Ret>> work, WaitSite* site,
                                              SteadyClock::time_point handed_over) {
    site->add(SteadyClock::now() - handed_over);
    co_return co_await std::move(work);
  }

  template <class Ret>
  void launch(asio::awaitable<Result<Ret>> work, std::shared_ptr<Pending> pending, WaitSite* site) {
    auto slot = pending->cancel.slot();
    asio::co_spawn(
        core_, on_core<Ret>(std::move(work), site, SteadyClock::now()),
        asio::bind_cancellation_slot(slot, [pending = std::move(pending)](std::exception_ptr thrown, Result<Ret> ret) {
          if (thrown) ret = thrown_error(thrown);
          pending->finish([ret = std::move(ret)]() -> Result<Bytes> {
            if (!ret) return std::unexpected(ret.error());
            return encode_ret(*ret);
          });
        }));
  }
  static std::unexpected<Error> thrown_error(const std::exception_ptr& thrown);

  asio::any_io_executor core_;
  std::vector<Entry> remote_, qemu_;  // by number
};

}  // namespace vireo::doors::libvirt
