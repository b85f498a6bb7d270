// The door with real sockets: many clients, settled replies, turns, and its closing.
#include "doors/xenstore/door.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>
#include <thread>

#include "base/io_thread.hpp"
#include "base/test_files.hpp"
#include "base/test_socket.hpp"
#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

namespace fs = std::filesystem;
using enum Operation;
constexpr int patience_ms = 20'000;

// A client at the other end of a socket, which waits for what it expects.
class Caller {
 public:
  explicit Caller(int fd) : fd_(fd) {}
  Caller(Caller&& other) noexcept : fd_(std::exchange(other.fd_, -1)), input_(std::move(other.input_)) {}
  Caller(const Caller&) = delete;
  ~Caller() { hang_up(); }

  void hang_up() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }
  void send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
  // The next message; nothing: the connection has ended, or nothing came.
  std::optional<Message> next(int wait_ms = patience_ms) {
    Header header;
    while (look(input_, header) != Front::whole) {
      pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
      if (::poll(&waiting, 1, wait_ms) != 1) return std::nullopt;
      char bytes[4096];
      const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return std::nullopt;
      input_.append(bytes, static_cast<std::size_t>(got));
    }
    Message message{header, input_.substr(sizeof header, header.length)};
    input_.erase(0, sizeof header + header.length);
    return message;
  }
  std::string ask(Operation type, std::string payload) {
    send(frame(type, bars_to_zeros(std::move(payload))));
    const auto message = next();
    return message ? zeros_to_bars(message->payload) : "nothing";
  }
  bool ended() {
    while (next()) {
    }
    pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
    char byte;
    return ::poll(&waiting, 1, patience_ms) == 1 && ::recv(fd_, &byte, 1, MSG_PEEK) <= 0;
  }
  int fd() const { return fd_; }

 private:
  int fd_;
  std::string input_;
};

class ListeningDoor : public ::testing::Test {
 protected:
  ListeningDoor() { thread_.start(); }
  ~ListeningDoor() override {
    if (door_) door_->close();
    thread_.stop();
  }
  void open(Services services = {}, DoorLimits limits = {}) {
    on_thread([&] { door_.emplace(thread_.executor(), store_, std::move(services), limits); });
    ASSERT_TRUE(door_->listen(path(), static_cast<fs::perms>(0700)));
  }
  template <class Work>
  void on_thread(Work work) {
    std::promise<void> done;
    asio::post(thread_.executor(), [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  }
  fs::path path() const { return folder_.file("sock"); }
  Caller dial() const { return Caller(tests::connected_to(path()).release()); }
  std::uint64_t count(std::string_view name) const {
    for (const auto& one : door_->counters())
      if (one.name == name) return one.value;
    ADD_FAILURE() << name;
    return 0;
  }
  void wait_for(std::string_view name, std::uint64_t value) const {
    for (int ms = 0; count(name) != value; ++ms) {
      ASSERT_LT(ms, patience_ms) << name << " is " << count(name);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  const tests::Folder folder_;
  tree::Store store_;
  IoThread thread_{"tree"};
  std::optional<Door> door_;
};

TEST_F(ListeningDoor, ServesManyClientsAndTellsThemOfEachOther) {
  open();
  EXPECT_EQ(fs::status(path()).permissions(), static_cast<fs::perms>(0700));
  std::vector<Caller> callers;
  for (int i = 0; i < 20; ++i) {
    callers.push_back(dial());
    EXPECT_EQ(callers.back().ask(watch, "/shared|t|"), "OK|");
    EXPECT_EQ(zeros_to_bars(callers.back().next()->payload), "/shared|t|");
  }
  EXPECT_EQ(callers[3].ask(mkdir, "/shared|"), "/shared|t|");
  EXPECT_EQ(zeros_to_bars(callers[3].next()->payload), "OK|");
  for (auto& caller : callers)
    if (&caller != &callers[3]) EXPECT_EQ(zeros_to_bars(caller.next()->payload), "/shared|t|");
  EXPECT_EQ(count("clients"), 20u);
  EXPECT_EQ(count("clients_accepted"), 20u);
  callers.clear();
  wait_for("clients", 0);
  EXPECT_EQ(count("watches"), 0u);
}

TEST_F(ListeningDoor, WhatConcernsManyReachesEachOfThemInOrder) {
  open();
  std::vector<Caller> watchers;
  for (int i = 0; i < 300; ++i) {
    watchers.push_back(dial());
    EXPECT_EQ(watchers.back().ask(watch, "/shared|t|"), "OK|");
    EXPECT_EQ(zeros_to_bars(watchers.back().next()->payload), "/shared|t|");
  }
  // Four times more than are told at once, and meanwhile one hangs up, one stops watching and somebody else asks.
  auto writer = dial(), other = dial();
  std::string all;
  for (int i = 0; i < 20; ++i) all += frame(write, bars_to_zeros(fmt::format("/shared/{}|v", i)));
  writer.send(all);
  watchers[250].hang_up();
  watchers[299].send(frame(unwatch, bars_to_zeros("/shared|t|")));
  EXPECT_EQ(other.ask(write, "/other|v"), "OK|");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(zeros_to_bars(writer.next()->payload), "OK|");
  for (const int which : {0, 63, 64, 150, 298})
    for (int i = 0; i < 20; ++i)
      EXPECT_EQ(zeros_to_bars(watchers[static_cast<std::size_t>(which)].next()->payload),
                fmt::format("/shared/{}|t|", i));
  while (!watchers[299].next()->is(unwatch)) {
  }
  EXPECT_EQ(writer.ask(write, "/shared/last|v"), "OK|");
  EXPECT_EQ(zeros_to_bars(watchers[298].next()->payload), "/shared/last|t|");
  EXPECT_FALSE(watchers[299].next(50)) << "who does not watch any more is told nothing";
  watchers.clear();
  wait_for("clients", 2);
  EXPECT_EQ(count("watches"), 0u);
}

TEST_F(ListeningDoor, TellsOfWhatTheDaemonDoes) {
  open();
  auto caller = dial();
  caller.ask(watch, "/kept|t|");
  caller.next();
  caller.ask(watch, "@releaseDomain|r|");
  caller.next();
  on_thread([&] { store_.keep([](auto& keeper) { keeper.write(*tree::Path::parse("/kept/x"), "v"); }); });
  EXPECT_EQ(zeros_to_bars(caller.next()->payload), "/kept/x|t|");
  on_thread([&] {
    door_->introduce(7);
    door_->release(7);
  });
  EXPECT_EQ(zeros_to_bars(caller.next()->payload), "@releaseDomain|r|");
  on_thread([&] { door_->release(8); });
  EXPECT_EQ(zeros_to_bars(caller.next()->payload), "@releaseDomain|r|") << "gone is gone, whatever clients said of it";
}

TEST_F(ListeningDoor, AnswersWhatIsSentInPiecesAndInHeaps) {
  open();
  auto caller = dial();
  std::string bytes;
  constexpr int many = 5000;
  for (int i = 0; i < many; ++i)
    bytes += frame(write, bars_to_zeros(fmt::format("/h/{}|{}", i % 10, std::string(50, 'v'))), 0,
                   static_cast<std::uint32_t>(i));
  std::thread sender([&] {
    caller.send(bytes.substr(0, 7));
    caller.send(bytes.substr(7, 20));
    caller.send(bytes.substr(27));
  });
  for (std::uint32_t i = 0; i < many; ++i) {
    const auto message = caller.next();
    ASSERT_TRUE(message);
    ASSERT_EQ(message->header.request, i);
    ASSERT_TRUE(message->is(write));
  }
  sender.join();
  EXPECT_EQ(count("requests"), static_cast<std::uint64_t>(many));
}

TEST_F(ListeningDoor, WhoDoesNotReadWaitsAndOthersDoNot) {
  open({}, {.pause_bytes = 32 << 10});
  auto sleeper = dial(), other = dial();
  other.ask(write, "/a|" + std::string(4000, 'v'));
  std::string bytes;
  for (int i = 0; i < 1000; ++i) bytes += frame(read, bars_to_zeros("/a|"));
  sleeper.send(bytes);
  wait_for("pauses", 1);
  EXPECT_EQ(other.ask(read, "/|"), "");
  for (int i = 0; i < 1000; ++i) {
    const auto message = sleeper.next();
    ASSERT_TRUE(message) << i;
    ASSERT_EQ(message->payload.size(), 4000u);
  }
  EXPECT_EQ(sleeper.ask(read, "/|"), "");
}

TEST_F(ListeningDoor, WhoNeverReadsIsDropped) {
  on_thread([&] { *store_.quotas().find(0, "outstanding") = 1000; });
  open();
  auto sleeper = dial(), other = dial();
  sleeper.send(frame(watch, bars_to_zeros("/|t|")));
  wait_for("watches", 1);
  for (int i = 0; i < 20'000 && count("clients_dropped_not_reading") == 0; ++i)
    other.ask(write, fmt::format("/{}{}|", std::string(100, 'x'), i));
  EXPECT_EQ(count("clients_dropped_not_reading"), 1u);
  wait_for("watches", 0);
  EXPECT_EQ(other.ask(read, "/|"), "");
}

TEST_F(ListeningDoor, WhoSendsTooMuchIsDroppedAfterItsReplies) {
  open();
  auto caller = dial();
  caller.send(frame(read, bars_to_zeros("/|")) + frame(write, std::string(max_payload + 1, 'x')));
  const auto message = caller.next();
  ASSERT_TRUE(message);
  EXPECT_TRUE(message->is(read));
  EXPECT_TRUE(caller.ended());
  EXPECT_EQ(count("clients_dropped_oversize"), 1u);
}

TEST_F(ListeningDoor, HoldsRepliesBackUntilWhatTheySayIsDurable) {
  std::mutex mutex;
  std::vector<std::function<void()>> settling;
  open({.settle = [&](std::function<void()> then) {
    const std::lock_guard hold(mutex);
    settling.push_back(std::move(then));
  }});
  auto writer = dial(), reader = dial();
  writer.send(frame(write, bars_to_zeros("/a|v")));
  std::function<void()> then;
  for (int ms = 0; !then; ++ms) {
    ASSERT_LT(ms, patience_ms);
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard hold(mutex);
    if (!settling.empty()) then = std::move(settling.front());
  }
  EXPECT_EQ(reader.ask(read, "/a|"), "v") << "a read has nothing to wait for";
  EXPECT_FALSE(writer.next(50));
  then();
  EXPECT_EQ(zeros_to_bars(writer.next()->payload), "OK|");
  EXPECT_EQ(writer.ask(read, "/a|"), "v");
  writer.send(frame(write, bars_to_zeros("/a|w")));
  wait_for("requests", 4);
  writer.hang_up();  // while its reply is held back
  on_thread([&] {
    for (const auto& one : settling)
      if (one) one();
  });
  wait_for("clients", 1);
}

TEST_F(ListeningDoor, AReplyThatSettlesAtOnceIsSentAtOnce) {
  open({.settle = [](const std::function<void()>& then) { then(); }});
  auto caller = dial();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(caller.ask(write, "/a|v"), "OK|");
}

TEST_F(ListeningDoor, ServesADomainAndEndsItWhenItIsReleased) {
  open({.exists = [](tree::DomainId id) { return id == 3; }});
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  Caller domain(ends[0]);
  on_thread([&] {
    Door::Socket socket(thread_.executor());
    socket.assign(asio::local::stream_protocol(), ends[1]);
    door_->serve(std::move(socket), 3);
    door_->introduce(3);
  });
  EXPECT_EQ(domain.ask(write, "/x|"), "EACCES|");
  auto zero = dial();
  EXPECT_EQ(zero.ask(release, "3|"), "OK|");
  EXPECT_TRUE(domain.ended());
}

TEST_F(ListeningDoor, TurnsAwayWhoIsTooMany) {
  open({}, {.clients = 2});
  auto one = dial(), two = dial();
  EXPECT_EQ(one.ask(read, "/|"), "");
  EXPECT_EQ(two.ask(read, "/|"), "");
  auto three = dial();
  EXPECT_TRUE(three.ended());
  EXPECT_EQ(count("clients_refused"), 1u);
  one.hang_up();
  wait_for("clients", 1);
  auto four = dial();
  EXPECT_EQ(four.ask(read, "/|"), "");
}

TEST_F(ListeningDoor, EndsAllConnectionsWhenItCloses) {
  open();
  auto caller = dial();
  EXPECT_EQ(caller.ask(transaction_start, "|"), "1|");
  door_->close();
  EXPECT_TRUE(caller.ended());
  EXPECT_FALSE(fs::exists(path()));
  wait_for("transactions", 0);
}

TEST_F(ListeningDoor, StopsAcceptingAndServesOn) {
  open();
  auto caller = dial();
  EXPECT_EQ(caller.ask(read, "/|"), "");
  door_->stop_accepting();
  EXPECT_FALSE(fs::exists(path()));
  EXPECT_EQ(caller.ask(read, "/|"), "");
}

TEST_F(ListeningDoor, RemovingALargePartStopsNobody) {
  open();
  on_thread([&] {
    store_.keep([](auto& keeper) {
      for (int i = 0; i < 100'000; ++i) keeper.write(*tree::Path::parse(fmt::format("/large/{}/{}", i % 100, i)), "v");
    });
  });
  auto caller = dial();
  EXPECT_EQ(caller.ask(rm, "/large|"), "OK|");
  EXPECT_EQ(caller.ask(read, "/|"), "");
  for (int ms = 0;; ++ms) {
    ASSERT_LT(ms, patience_ms);
    std::int64_t nodes = 0;
    on_thread([&] { nodes = store_.accounts().of(0).nodes; });
    if (nodes == 1) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
