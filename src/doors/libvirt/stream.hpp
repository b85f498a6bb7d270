// A stream: bytes in both directions that belong to one call of one connection (a guest's console, a volume's data).
// Packets of one stream stay in order. A stream ends exactly once: finished by the handler, aborted by either side, or
// because the client went away. May be used from any executor; its own state lives on the session's.
#pragma once

#include <deque>
#include <span>

#include "base/error.hpp"
#include "base/wake.hpp"
#include "doors/libvirt/frame.hpp"
#include "doors/libvirt/procedure.hpp"

namespace vireo::doors::libvirt {

class Session;

class Stream : public std::enable_shared_from_this<Stream> {
 public:
  Stream(std::shared_ptr<Session> session, const Procedure& row, std::uint32_t serial);

  // Sends data to the client; waits while the client reads too slowly. Data longer than a packet is cut into packets.
  // Error: VIR_ERR_OPERATION_ABORTED when the stream has ended or the waiting coroutine was cancelled.
  asio::awaitable<Result<void>> send(Bytes data);

  // The client's next packet, or nullopt once it has finished sending. One receiver at a time.
  // Error: VIR_ERR_OPERATION_ABORTED when the client aborted or went away.
  asio::awaitable<Result<std::optional<Bytes>>> receive();

  // The orderly end. After receive() gave nullopt it tells the client that all it sent has arrived; before, it tells
  // the client that no more data comes, and the stream ends when the client says that it has finished, too.
  void finish();
  // Ends the stream with an error that the client sees.
  void abort(Error error);

  // What follows is for the session, on its executor.

  // The call was answered: what was sent meanwhile may go out now.
  void call_answered();
  // A packet from the client, by status: data, its finish, or its abort.
  void deliver(Status status, std::span<const std::byte> payload);
  // The client sent what a stream cannot take: it is told so, and the stream ends.
  void refuse(const Error& error);
  // The client went away or its call failed: waiting receivers and senders get `why`, nothing is sent.
  void tear_down(const Error& why);
  // There may be room in the session's write queue again.
  void serve_senders();
  std::size_t queued_bytes() const { return queued_bytes_; }
  const Procedure& row() const { return *row_; }
  std::uint32_t serial() const { return serial_; }

 private:
  struct Receiving;
  struct Sending;
  void serve_receiver();
  void finish_here();
  void end_with_error(const Error& error);
  static void answer(const std::shared_ptr<Sending>& waiter, Result<void> result);

  const std::shared_ptr<Session> session_;
  const Procedure* const row_;
  const std::uint32_t serial_;
  bool answered_ = false;             // the call that opened the stream
  bool client_finished_ = false;      // no more data comes from the client
  bool finished_ = false;             // the handler has no more data for the client
  bool finish_sent_ = false;          // and the client was told so
  std::optional<Error> early_error_;  // came before the call was answered, which goes first
  std::optional<Error> ended_;        // why; nothing happens any more
  std::deque<Bytes> incoming_;
  std::size_t queued_bytes_ = 0;
  std::shared_ptr<Receiving> receiver_;
  std::deque<std::shared_ptr<Sending>> senders_;
};

}  // namespace vireo::doors::libvirt
