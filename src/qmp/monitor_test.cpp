// The monitor client against a fake QEMU at the other end of a socket pair: what it answers, when and in which pieces
// is the test's choice.
#include "qmp/monitor.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "qmp/commands.hpp"

namespace vireo::qmp {
namespace {

using namespace std::chrono_literals;

constexpr const char* kGreeting =
    R"({"QMP":{"version":{"qemu":{"micro":22,"minor":2,"major":7},"package":""},"capabilities":["oob"]}})";

asio::awaitable<Result<std::size_t>> write_all(Monitor::Socket* to, std::string text) {
  co_return co_await asio::async_write(*to, asio::buffer(text), asio::use_awaitable);
}

class MonitorTest : public testing::Test {
 protected:
  MonitorTest() {
    Monitor::Socket ours(core_);
    asio::local::connect_pair(ours, qemu_);
    MonitorSinks sinks;
    sinks.event = [this](const Event& e) { events_.push_back(e.name); };
    sinks.closed = [this](const Error& e) { closed_.push_back(e.code); };
    monitor_ = Monitor::open(std::move(ours), std::move(sinks));
  }
  ~MonitorTest() override {
    monitor_->close();
    core_.poll();
  }

  // Begins a call; its result is there once the loop has run far enough.
  template <class T>
  std::shared_ptr<std::optional<Result<T>>> begin(asio::awaitable<Result<T>> call) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    asio::co_spawn(core_, std::move(call), [result](std::exception_ptr e, Result<T> value) {
      ASSERT_FALSE(e);
      *result = std::move(value);
    });
    return result;
  }
  template <class Done>
  bool run_until(Done done) {
    const auto deadline = SteadyClock::now() + 60s;
    core_.restart();
    while (!done() && SteadyClock::now() < deadline) core_.run_one_until(deadline);
    return done();
  }
  void settle() {
    core_.restart();
    while (core_.poll() > 0) {
    }
  }
  void qemu_says(const std::string& text) { asio::write(qemu_, asio::buffer(text)); }
  // The next command that QEMU gets; the loop runs until it is there.
  json::object qemu_gets() {
    run_until([&] { return qemu_.available() > 0; });
    const auto count = asio::read_until(qemu_, asio::dynamic_buffer(received_), '\n');
    auto command = json::parse(std::string_view(received_).substr(0, count)).as_object();
    received_.erase(0, count);
    return command;
  }
  static std::string answer(const json::object& command, const std::string& what) {
    return R"({"return":)" + what + R"(,"id":)" + json::serialize(command.at("id")) + "}\r\n";
  }
  auto execute(const std::string& command, std::chrono::milliseconds span = 60s) {
    return begin(monitor_->execute(command, json::object(), Deadline::in(span)));
  }

  asio::io_context core_;
  Monitor::Socket qemu_{core_};
  std::string received_;
  MonitorPtr monitor_;
  std::vector<std::string> events_;
  std::vector<int> closed_;
};

TEST_F(MonitorTest, ShakesHands) {
  auto done = begin(monitor_->handshake(Deadline::in(60s)));
  settle();
  EXPECT_FALSE(*done);
  qemu_says(std::string(kGreeting) + "\r\n");
  const auto command = qemu_gets();
  EXPECT_EQ(command.at("execute"), "qmp_capabilities");
  EXPECT_FALSE(command.contains("arguments"));
  qemu_says(answer(command, "{}"));
  ASSERT_TRUE(run_until([&] { return done->has_value(); }));
  EXPECT_TRUE(**done);
}

TEST_F(MonitorTest, AGreetingThatNeverComesEndsAtTheDeadline) {
  auto done = begin(monitor_->handshake(Deadline::in(20ms)));
  ASSERT_TRUE(run_until([&] { return done->has_value(); }));
  EXPECT_EQ((**done).error().code, VIR_ERR_OPERATION_TIMEOUT);
}

TEST_F(MonitorTest, AnswersOutOfOrderFindTheirAskers) {
  auto first = execute("query-a");
  auto second = execute("query-b");
  const auto a = qemu_gets();
  const auto b = qemu_gets();
  EXPECT_EQ(a.at("execute"), "query-a");
  qemu_says(answer(b, R"("of b")") + R"({"event":"STOP","timestamp":{}})" + "\r\n" + answer(a, R"("of a")"));
  ASSERT_TRUE(run_until([&] { return first->has_value() && second->has_value(); }));
  EXPECT_EQ(***first, "of a");
  EXPECT_EQ(***second, "of b");
  EXPECT_EQ(events_, std::vector<std::string>{"STOP"});
}

TEST_F(MonitorTest, ReadsOneByteAtATime) {
  auto result = execute("query-name");
  const auto text = answer(qemu_gets(), R"({"name":"ä\n"})");
  for (const char c : text) {
    EXPECT_FALSE(*result);
    qemu_says(std::string(1, c));
    settle();
  }
  ASSERT_TRUE(run_until([&] { return result->has_value(); }));
  EXPECT_EQ((**result)->at("name"), "ä\n");
}

TEST_F(MonitorTest, EventsComeInOrderAndCarryTheirData) {
  std::string text;
  for (int i = 0; i < 2000; ++i) text += R"({"event":"E)" + std::to_string(i) + R"(","data":{"n":1}})" + "\n";
  auto writer = begin(write_all(&qemu_, text));
  ASSERT_TRUE(run_until([&] { return events_.size() == 2000; }));
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(events_[static_cast<std::size_t>(i)], "E" + std::to_string(i));
  EXPECT_TRUE(*writer);
}

// A QEMU that always has something to say must leave room for others between any two reads.
TEST_F(MonitorTest, AFloodLeavesTheLoopToOthers) {
  std::string text;
  for (int i = 0; i < 1500; ++i)
    text += R"({"event":"FLOOD","data":{"filler":"0123456789"}})"
            "\n";
  qemu_.non_blocking(true);
  boost::system::error_code full;
  std::size_t sent = 0;
  while (sent < text.size() && !full)
    sent += qemu_.write_some(asio::buffer(text.data() + sent, text.size() - sent), full);
  ASSERT_GT(sent, std::size_t{40} * 1024);
  std::vector<std::size_t> told_by_turn;
  std::function<void()> other = [&] {
    told_by_turn.push_back(events_.size());
    if (told_by_turn.size() < 10'000 && events_.size() < 1000) asio::post(core_, other);
  };
  asio::post(core_, other);
  ASSERT_TRUE(run_until([&] { return events_.size() >= 1000; }));
  settle();
  std::size_t most = 0;
  for (std::size_t i = 1; i < told_by_turn.size(); ++i) most = std::max(most, told_by_turn[i] - told_by_turn[i - 1]);
  EXPECT_LE(most, std::size_t{16} * 1024 / (text.size() / 1500) + 1);
}

TEST_F(MonitorTest, WhatComesUnaskedIsReadAtABoundedRate) {
  std::string flood;
  for (int i = 0; i < 3000; ++i) flood += "{\"event\": \"RESET\"}\n";
  qemu_says(flood);
  const auto began = SteadyClock::now();
  settle();
  EXPECT_GE(events_.size(), 1000U);
  // Unless this thread was kept from its processor for a span or more, of which each lets as many in.
  if (SteadyClock::now() - began < 1s) EXPECT_LT(events_.size(), 3000U) << "the rest waits in the socket";
  EXPECT_TRUE(run_until([&] { return events_.size() == 3000; })) << "nothing is lost";
}

TEST_F(MonitorTest, ClosingItEndsThePauseOfItsReading) {
  std::string flood;
  for (int i = 0; i < 3000; ++i) flood += "{\"event\": \"RESET\"}\n";
  qemu_says(flood);
  settle();
  monitor_->close();
  settle();
  EXPECT_TRUE(core_.stopped()) << "nothing is left to wait for";
}

TEST_F(MonitorTest, AnErrorIsToldInQemusWords) {
  auto result = execute("device_del");
  const auto id = json::serialize(qemu_gets().at("id"));
  qemu_says(R"({"id":)" + id + R"(,"error":{"class":"GenericError","desc":"Device 'x' not found"}})" + "\n");
  ASSERT_TRUE(run_until([&] { return result->has_value(); }));
  EXPECT_EQ((**result).error().message(),
            "internal error: unable to execute QEMU command 'device_del': Device 'x' not found");
  EXPECT_TRUE(monitor_->is_open());
}

TEST_F(MonitorTest, ALateAnswerIsDroppedAndTheNextIsNotMistaken) {
  auto slow = execute("query-slow", 20ms);
  const auto late = qemu_gets();
  ASSERT_TRUE(run_until([&] { return slow->has_value(); }));
  EXPECT_EQ((**slow).error().code, VIR_ERR_OPERATION_TIMEOUT);
  auto next = execute("query-next");
  const auto command = qemu_gets();
  qemu_says(answer(late, R"("late")"));
  settle();
  EXPECT_FALSE(*next);
  qemu_says(answer(command, R"("mine")"));
  ASSERT_TRUE(run_until([&] { return next->has_value(); }));
  EXPECT_EQ(***next, "mine");
}

// A stopped QEMU reads nothing: once the socket is full, what has timed out unsent must never be carried out later.
TEST_F(MonitorTest, WhatTimedOutUnsentIsNeverSent) {
  json::object large;
  large["filler"] = std::string(std::size_t{1} << 20, 'x');
  auto stuck = begin(monitor_->execute("stuck", large, Deadline::in(50ms)));
  auto unsent = execute("unsent", 50ms);
  ASSERT_TRUE(run_until([&] { return stuck->has_value() && unsent->has_value(); }));
  auto after = execute("after", 60s);
  std::atomic<bool> all_read = false;
  std::thread qemu([&] {
    asio::read_until(qemu_, asio::dynamic_buffer(received_), '\n');
    while (received_.find("after") == std::string::npos) {
      std::array<char, 65536> bytes;
      received_.append(bytes.data(), qemu_.read_some(asio::buffer(bytes)));
    }
    all_read = true;
    asio::post(core_, [] {});  // the loop looks anew
  });
  EXPECT_TRUE(run_until([&] { return all_read.load(); }));
  qemu.join();
  EXPECT_EQ(received_.find("unsent"), std::string::npos);
}

TEST_F(MonitorTest, TooManyCommandsUnderWayAreRefusedAtOnce) {
  for (int i = 0; i < 256; ++i) execute("wait");
  settle();
  auto refused = execute("one-more");
  settle();
  ASSERT_TRUE(*refused);
  EXPECT_EQ((**refused).error().code, VIR_ERR_RESOURCE_BUSY);
}

TEST_F(MonitorTest, AClosedConnectionFailsEverybodyAndIsToldOnce) {
  auto first = execute("query-a");
  auto second = execute("query-b");
  const auto a = qemu_gets();
  qemu_says(answer(a, "1") + R"({"return":)");
  qemu_.close();
  ASSERT_TRUE(run_until([&] { return first->has_value() && second->has_value(); }));
  EXPECT_TRUE(**first);  // what came before the end counts
  EXPECT_EQ((**second).error().code, VIR_ERR_OPERATION_FAILED);
  settle();
  EXPECT_EQ(closed_, std::vector<int>{VIR_ERR_OPERATION_FAILED});
  auto later = execute("query-c");
  settle();
  EXPECT_EQ((**later).error().code, VIR_ERR_OPERATION_FAILED);
}

TEST_F(MonitorTest, ClosingItOneselfFailsTheWaitingAndTellsNobody) {
  auto waiting = execute("query-a");
  settle();
  monitor_->close();
  settle();
  EXPECT_EQ((**waiting).error().code, VIR_ERR_OPERATION_FAILED);
  EXPECT_TRUE(closed_.empty());
}

TEST_F(MonitorTest, AnEventsReceiverMayCloseTheMonitor) {
  Monitor::Socket ours(core_), theirs(core_);
  asio::local::connect_pair(ours, theirs);
  int told = 0;
  MonitorPtr monitor;
  MonitorSinks sinks;
  sinks.event = [&](const Event&) {
    ++told;
    monitor->close();
  };
  monitor = Monitor::open(std::move(ours), std::move(sinks));
  asio::write(theirs, asio::buffer(std::string(R"({"event":"A"})"
                                               "\n"
                                               R"({"event":"B"})"
                                               "\n")));
  settle();
  EXPECT_EQ(told, 1);
}

class Garbage : public MonitorTest, public testing::WithParamInterface<const char*> {};

TEST_P(Garbage, EndsTheConnectionWithAnErrorForAllWhoWait) {
  auto waiting = execute("query-a");
  settle();
  qemu_says(std::string(GetParam()) + "\n");
  ASSERT_TRUE(run_until([&] { return waiting->has_value(); }));
  EXPECT_EQ((**waiting).error().code, VIR_ERR_INTERNAL_ERROR);
  EXPECT_EQ(closed_, std::vector<int>{VIR_ERR_INTERNAL_ERROR});
}

INSTANTIATE_TEST_SUITE_P(Kinds, Garbage,
                         testing::Values("hello", "", "{", "[]", "42", "{}", "{\"event\":7}", "{\"return\":1}}",
                                         "\xff\xfe{}", "{\"a\":\"\x01\"}"));

TEST_F(MonitorTest, AskersOwnIdsComeBack) {
  json::object request;
  request["execute"] = "query-status";
  request["id"] = "mine";
  auto result = begin(monitor_->exchange(request, Deadline::in(60s)));
  const auto command = qemu_gets();
  EXPECT_NE(command.at("id"), "mine");
  qemu_says(answer(command, "{}"));
  ASSERT_TRUE(run_until([&] { return result->has_value(); }));
  EXPECT_EQ(json::serialize(***result), R"({"return":{},"id":"mine"})");
}

TEST_F(MonitorTest, TypedAnswersAreRead) {
  auto terminals = begin(query_terminals(monitor_, Deadline::in(60s)));
  qemu_says(
      answer(qemu_gets(), R"([{"label":"charserial0","filename":"pty:/dev/pts/3"},{"label":"m","filename":"x"}])"));
  auto open = begin(query_open_frontends(monitor_, Deadline::in(60s)));
  qemu_says(answer(qemu_gets(), R"([{"label":"a","frontend-open":true},{"label":"b","frontend-open":false}])"));
  auto balloon = begin(query_balloon(monitor_, Deadline::in(60s)));
  qemu_says(answer(qemu_gets(), R"({"actual":83886080})"));
  auto status = begin(query_status(monitor_, Deadline::in(60s)));
  qemu_says(answer(qemu_gets(), R"({"status":"prelaunch","singlestep":false,"running":false})"));
  auto port = begin(query_vnc_port(monitor_, Deadline::in(60s)));
  qemu_says(answer(qemu_gets(), R"({"enabled":true,"service":"5903","host":"127.0.0.1"})"));
  auto human = begin(human_command(monitor_, "info status", Deadline::in(60s)));
  const auto command = qemu_gets();
  EXPECT_EQ(command.at("arguments").at("command-line"), "info status");
  qemu_says(answer(command, R"("VM status: paused\r\n")"));
  auto strange = begin(query_status(monitor_, Deadline::in(60s)));
  qemu_says(answer(qemu_gets(), "[]"));
  ASSERT_TRUE(run_until([&] { return strange->has_value(); }));
  EXPECT_EQ((**terminals)->at("charserial0"), "/dev/pts/3");
  EXPECT_EQ((**terminals)->size(), 1u);
  EXPECT_EQ(***open, std::set<std::string>{"a"});
  EXPECT_EQ(***balloon, 83886080U);
  EXPECT_FALSE((**status)->running);
  EXPECT_EQ((**status)->name, "prelaunch");
  EXPECT_EQ(***port, 5903);
  EXPECT_EQ(***human, "VM status: paused\r\n");
  EXPECT_EQ((**strange).error().code, VIR_ERR_INTERNAL_ERROR);
}

TEST(Framing, ALineBeyondTheLimitIsAnError) {
  LineReader reader(10);
  reader.append("0123456789\n0123456789");
  auto line = reader.next();
  ASSERT_TRUE(line && *line);
  EXPECT_EQ(**line, "0123456789");
  line = reader.next();
  ASSERT_TRUE(line);
  EXPECT_FALSE(*line);
  reader.append("0");
  EXPECT_FALSE(reader.next());
}

TEST(Framing, DeepAnswersAreReadAndBottomlessOnesAreNot) {
  const auto nested = [](std::size_t depth) {
    std::string text;
    for (std::size_t i = 0; i < depth; ++i) text += "{\"backing\":";
    return text + "1" + std::string(depth, '}');
  };
  EXPECT_TRUE(parse_object(nested(200)));
  EXPECT_FALSE(parse_object(nested(300)));
  auto twice = parse_object(R"({"a":1,"a":2})");
  ASSERT_TRUE(twice);
  EXPECT_EQ(twice->at("a"), 2);
}

}  // namespace
}  // namespace vireo::qmp
