// A stream: bytes in both directions that belong to one call of one connection (a guest's console, a volume's data).
// Packets of one stream stay in order. A stream ends exactly once: finished by the handler, aborted by either side, or
// because the client went away. May be used from any executor; its own state lives on the session's.
#pragma once

#include <deque>

#include "base/error.hpp"
#include "base/wake.hpp"
#include "doors/libvirt/procedure.hpp"

namespace vireo::doors::libvirt {

class Session;
using Bytes = std::vector<std::byte>;

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Session> session, const Procedure* row, std::uint32_t serial);

  // Sends data to the client; waits while the client reads too slowly. Data longer than a packet is cut into packets.
  // Error: VIR_ERR_OPERATION_ABORTED when the stream has ended or the waiting coroutine was cancelled.
  asio::awaitable<Result<void>> send(Bytes data);

  // The client's next packet, or nullopt once it has finished sending. One receiver at a time.
  // Error: VIR_ERR_OPERATION_ABORTED when the client aborted or went away.
  asio::awaitable<Result<std::optional<Bytes>>> receive();

  // Ends the stream: no more data comes to the client. finish() is the orderly end, abort() hands the client an error.
  void finish();
  void abort(Error error);

  // What follows is for the session, on its executor.

  // A packet from the client: data, or the end (finished) of what it sends.
  void deliver(Bytes data);
  void deliver_finish();
  // The client aborted or went away: waiting receivers and senders get `why`. Sends nothing.
  void tear_down(Error why);
  // The session's write queue has room again.
  void resume_senders();
  std::size_t queued_bytes() const { return queued_bytes_; }
  const Procedure* row() const { return row_; }
  std::uint32_t serial() const { return serial_; }
  bool ended() const { return ended_; }

 private:
  struct Receiving;
  struct Sending;
  void start_receiving(std::shared_ptr<Receiving> waiter);
  void start_sending(std::shared_ptr<Sending> waiter);
  void serve_receiver();
  void end_with(std::optional<Error> error);

  std::shared_ptr<Session> session_;  // let go when the stream ends
  asio::any_io_executor door_;
  const Procedure* row_;
  std::uint32_t serial_;
  std::deque<Bytes> incoming_;
  std::size_t queued_bytes_ = 0;
  bool client_finished_ = false;
  bool ended_ = false;
  std::optional<Error> end_reason_;
  std::shared_ptr<Receiving> receiver_;
  std::deque<std::shared_ptr<Sending>> senders_;
};

}  // namespace vireo::doors::libvirt
