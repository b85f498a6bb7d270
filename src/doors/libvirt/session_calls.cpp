// A session's calls: from a frame to its handler and back. The order of the checks (program, status, procedure,
// authentication, open connection, read-only, handler) and the words of each refusal are libvirtd's, found by asking
// one.
#include "doors/libvirt/protocol/structs.hpp"
#include "doors/libvirt/session.hpp"

namespace vireo::doors::libvirt {
namespace {

constexpr std::int32_t feature_keepalive = 10;

std::unexpected<Error> rpc_error(std::string text) { return fail_from(VIR_FROM_RPC, VIR_ERR_RPC, std::move(text)); }

bool is_remote(const Header& header, proc::Remote procedure) {
  return header.program == proc::remote_program && header.procedure == static_cast<std::int32_t>(procedure);
}

}  // namespace

// A call that left this thread. It comes back through finish(), from whatever thread.
class Session::Running final : public Pending, public std::enable_shared_from_this<Running> {
 public:
  Running(std::shared_ptr<Session> s, const Header& h, std::size_t b, Gate::Pass p)
      : session(std::move(s)), header(h), bytes(b), pass(std::move(p)) {}

  void finish(Encode encode) override {
    asio::post(session->executor(), [self = shared_from_this(), encode = std::move(encode)] {
      self->session->finish_running(self, encode());
    });
  }

  const std::shared_ptr<Session> session;
  const Header header;
  const std::size_t bytes;  // of arguments
  const SteadyClock::time_point arrived = session->call_arrived_;
  std::optional<Gate::Pass> pass;
  std::shared_ptr<Stream> stream;
};
void Session::handle_call(const Header& header, std::span<const std::byte> payload) {
  common_->counters.calls.add();
  call_arrived_ = SteadyClock::now();
  const auto unknown = [&](std::string text) {
    common_->counters.calls_refused_unknown.add();
    reply(header, rpc_error(std::move(text)));
  };
  if (header.version != protocol_version ||
      (header.program != proc::remote_program && header.program != proc::qemu_program))
    return unknown(fmt::format("Cannot find program {} version {}", header.program, header.version));
  if (header.status != Status::ok)
    return unknown(fmt::format("Unexpected message status {}", static_cast<int>(header.status)));
  const auto* row = find_procedure(header.program, header.procedure);
  if (!row || row->is_event()) return unknown(fmt::format("unknown procedure: {}", header.procedure));
  if (answer_greeting(header, payload)) return;
  const auto* entry = table_.find(*row);
  if (auto admitted = admit(*row, *entry, payload); !admitted) return reply(header, std::unexpected(admitted.error()));
  run(*row, *entry, header, payload);
}

bool Session::answer_greeting(const Header& header, std::span<const std::byte> payload) {
  using enum proc::Remote;
  if (is_remote(header, auth_list)) {
    authenticated_ = true;
    wire::remote_auth_list_ret ret;
    ret.types = {wire::remote_auth_type::none};
    reply(header, xdr::encode(ret));
    return true;
  }
  if (is_remote(header, auth_sasl_init) || is_remote(header, auth_sasl_start) || is_remote(header, auth_sasl_step) ||
      is_remote(header, auth_polkit)) {
    reply(header, fail_from(VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication failed"));
    return true;
  }
  if (!authenticated_) return false;
  if (is_remote(header, connect_supports_feature)) {
    auto args = xdr::decode<wire::remote_connect_supports_feature_args>(payload);
    if (!args || args->feature != feature_keepalive) return false;
    if (!keepalive_) {
      keepalive_ = true;
      asio::co_spawn(executor_, keepalive_loop(shared_from_this()), asio::detached);
    }
    reply(header, xdr::encode(wire::remote_connect_supports_feature_ret{.supported = 1}));
    return true;
  }
  if (is_remote(header, connect_close)) {
    reply(header, Bytes{});
    closing_ = true;
    return true;
  }
  return false;
}

Result<void> Session::admit(const Procedure& row, const HandlerTable::Entry& entry,
                            std::span<const std::byte> payload) {
  auto& counters = common_->counters;
  if (!authenticated_) {
    counters.calls_refused_unauthenticated.add();
    return rpc_error("authentication required");
  }
  const bool opens =
      row.program == proc::remote_program && row.number == static_cast<std::int32_t>(proc::Remote::connect_open);
  if (opens == opened_) {
    counters.calls_refused_unopened.add();
    return fail_from(VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
                     opened_ ? "connection already open" : "hypervisor connection not open");
  }
  // A condition that nobody registered is as good as met.
  if (peer_.read_only &&
      (row.read_only == ReadOnly::refused ||
       (row.read_only == ReadOnly::depends && (!entry.refuse_read_only || entry.refuse_read_only(payload))))) {
    counters.calls_refused_read_only.add();
    return fail_from(
        row.reported_by, VIR_ERR_OPERATION_DENIED,
        entry.refused_what.empty() ? fmt::format("read only access prevents {}", row.api) : entry.refused_what);
  }
  if (!entry.handled()) {
    counters.calls_refused_unsupported.add();
    return fail_from(row.reported_by, VIR_ERR_NO_SUPPORT, std::string(row.api.empty() ? row.name : row.api));
  }
  return {};
}

void Session::run(const Procedure& row, const HandlerTable::Entry& entry, const Header& header,
                  std::span<const std::byte> payload) {
  Call call{.session = shared_from_this(), .state = state, .row = &row, .serial = header.serial};
  if (entry.read) return reply_of_handler(header, entry.read(call, payload));

  auto pass = common_->gate.enter();
  if (!pass) {
    common_->counters.calls_refused_closing.add();
    return reply(header, fail_from(VIR_FROM_RPC, VIR_ERR_OPERATION_INVALID, "the daemon is shutting down"));
  }
  auto running = std::make_shared<Running>(call.session, header, payload.size(), std::move(*pass));
  Result<void> begun;
  if (entry.stream) {
    if (streams_.size() >= limits_.streams) {
      common_->counters.streams_refused.add();
      return reply(header, rpc_error(fmt::format("too many open streams, at most {} per connection", limits_.streams)));
    }
    running->stream = std::make_shared<Stream>(call.session, row, header.serial);
    begun = entry.stream(std::move(call), payload, running->stream, running);
    if (begun) streams_.push_back(running->stream);
  } else {
    begun = entry.change(std::move(call), payload, running);
  }
  if (!begun) return reply_of_handler(header, std::unexpected(begun.error()));
  running_bytes_ += running->bytes;
  running_.push_back(std::move(running));
  account();
}

void Session::cancel_running() {
  for (const auto& running : running_) {
    common_->counters.calls_cancelled.add();
    asio::post(table_.core(), [running] {
      if (!running->ended) running->cancel.emit(asio::cancellation_type::terminal);
    });
  }
}

void Session::finish_running(const std::shared_ptr<Running>& running, Result<Bytes> payload) {
  running->pass.reset();
  running_.remove(running);
  running_bytes_ -= running->bytes;
  if (closed_) return;
  call_arrived_ = running->arrived;
  const bool well = payload.has_value();
  if (auto stream = running->stream; stream && !well) {
    stream->tear_down(payload.error());
    forget(*stream);
  }
  reply_of_handler(running->header, std::move(payload));
  if (running->stream && well && !closed_) running->stream->call_answered();
  wake_reader();
}

void Session::reply_of_handler(const Header& call, Result<Bytes> payload) {
  if (!payload && payload.error().domain == VIR_FROM_NONE && state) payload.error().domain = state->error_domain();
  if (payload && is_remote(call, proc::Remote::connect_open)) opened_ = true;
  if (!payload && payload.error().domain == VIR_FROM_RPC && payload.error().code == VIR_ERR_RPC)
    common_->counters.calls_refused_payload.add();
  reply(call, std::move(payload));
}

}  // namespace vireo::doors::libvirt
