// QEMU's side of a monitor with anything on it, in pieces of any size, which the last two bytes choose. Whatever
// comes, every asker gets an answer, and lines are the same however they are cut.
#include <random>

#include "base/log.hpp"
#include "qemu/guest_event.hpp"
#include "qmp/commands.hpp"
#include "tests/fuzz/expect.hpp"

using namespace vireo;
using fuzz::expect;

namespace {

// Where the stream is cut, the same for the same input.
class Pieces {
 public:
  Pieces(std::string_view stream, unsigned seed) : left_(stream), random_(seed), longest_(1 + seed % 4096) {}
  bool more() const { return !left_.empty(); }
  std::string_view next() {
    const auto piece = left_.substr(0, 1 + random_() % longest_);
    left_.remove_prefix(piece.size());
    return piece;
  }

 private:
  std::string_view left_;
  std::minstd_rand random_;
  std::size_t longest_;
};

// The whole lines of a stream, until one is too long.
std::vector<std::string> lines_of(Pieces pieces, std::size_t limit) {
  qmp::LineReader reader(limit);
  std::vector<std::string> lines;
  while (pieces.more()) {
    reader.append(pieces.next());
    for (;;) {
      auto line = reader.next();
      if (!line) return lines;
      if (!*line) break;
      expect((*line)->size() <= limit, "no line is longer than the limit");
      lines.emplace_back(**line);
    }
  }
  return lines;
}

template <class T>
void ask(asio::io_context& context, asio::awaitable<Result<T>> question, int& waiting) {
  ++waiting;
  asio::co_spawn(context, std::move(question), [&waiting](const std::exception_ptr& thrown, const Result<T>&) {
    expect(!thrown, "no answer makes a command throw");
    --waiting;
  });
}

void converse(Pieces pieces) {
  asio::io_context context{1};
  qmp::Monitor::Socket ours(context), qemu(context);
  asio::local::connect_pair(ours, qemu);
  int waiting = 0, ends = 0;
  auto monitor = qmp::Monitor::open(std::move(ours), {.event =
                                                          [&](const qmp::Event& event) {
                                                            expect(ends == 0, "nothing is told after the end");
                                                            qemu::guest_event_of(event);
                                                          },
                                                      .closed = [&](const Error&) { ++ends; }});
  const auto deadline = Deadline::in(std::chrono::hours(1));
  ask(context, monitor->handshake(deadline), waiting);
  ask(context, qmp::query_status(monitor, deadline), waiting);
  ask(context, qmp::query_terminals(monitor, deadline), waiting);
  ask(context, qmp::query_vnc_port(monitor, deadline), waiting);
  ask(context, qmp::human_command(monitor, "info block", deadline), waiting);
  context.poll();
  while (pieces.more() && monitor->is_open()) {
    boost::system::error_code error;
    asio::write(qemu, asio::buffer(pieces.next()), error);
    if (error) break;
    context.poll();
  }
  qemu.close();
  context.run();
  expect(ends == 1, "the end is told once");
  expect(waiting == 0, "every command ends when the monitor does");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  spdlog::set_level(spdlog::level::off);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned seed = data[size - 1] | data[size - 2] << 8;
  const auto stream = fuzz::text_of(data, size);
  // A limit that inputs of this size can reach. What is cut by it depends on the pieces; what comes before does not.
  const auto whole = lines_of(Pieces(stream, 0), qmp::kLineLimit);
  expect(lines_of(Pieces(stream, seed), qmp::kLineLimit) == whole, "lines do not depend on how they are cut");
  const auto limited = lines_of(Pieces(stream, seed), 64);
  expect(limited.size() <= whole.size() && std::equal(limited.begin(), limited.end(), whole.begin()),
         "lines within the limit are the same lines");
  converse(Pieces(stream, seed));
  return 0;
}
