// Streams from both ends: data in order, the two ways to finish, aborts, back-pressure, and a client that goes away.
#include "doors/libvirt/test_door.hpp"

namespace vireo::doors::libvirt::testing {
namespace {

using enum proc::Remote;

class StreamTest : public DoorTest {
 protected:
  // The serial of the call, which names the stream.
  std::uint32_t open(Client& client, const std::string& kind) {
    wire::remote_domain_open_console_args args;
    args.dev_name = kind;
    const auto reply = client.call(domain_open_console, args);
    EXPECT_EQ(reply.header.status, Status::ok) << reply.error().detail;
    return reply.header.serial;
  }
  static bool send(Client& client, std::uint32_t serial, Status status, std::string_view text = {},
                   Type type = Type::stream) {
    return client.send(Client::header_of(domain_open_console, serial, type, status), std::as_bytes(std::span(text)));
  }
  static std::string text(const Message& message) {
    return {reinterpret_cast<const char*>(message.payload.data()), message.payload.size()};
  }
  // The next packet of the stream, which must be one.
  static Message packet(Client& client, std::uint32_t serial) {
    auto message = client.receive();
    if (!message) {
      ADD_FAILURE() << "no packet";
      return {};
    }
    EXPECT_EQ(message->header.type, Type::stream);
    EXPECT_EQ(message->header.serial, serial);
    EXPECT_EQ(message->header.procedure, static_cast<int>(domain_open_console));
    return *message;
  }
};

TEST_F(StreamTest, EchoesInOrderAndFinishesWhenTheClientDoes) {
  auto client = connect_and_greet();
  const auto serial = open(client, "echo");
  for (int i = 0; i < 100; ++i) send(client, serial, Status::more, fmt::format("line {}", i));
  for (int i = 0; i < 100; ++i) {
    const auto got = packet(client, serial);
    EXPECT_EQ(got.header.status, Status::more);
    EXPECT_EQ(text(got), fmt::format("line {}", i));
  }
  send(client, serial, Status::ok);
  const auto end = packet(client, serial);
  EXPECT_EQ(end.header.status, Status::ok);
  EXPECT_TRUE(end.payload.empty());
  EXPECT_TRUE(story_.has("client finished"));
}

TEST_F(StreamTest, CarriesCallsBesideIt) {
  auto client = connect_and_greet();
  const auto serial = open(client, "echo");
  EXPECT_EQ(client.call(domain_lookup_by_name, wire::remote_domain_lookup_by_name_args{.name = "db"}).header.status,
            Status::ok);
  const auto second = open(client, "echo");
  send(client, second, Status::more, "two");
  EXPECT_EQ(text(packet(client, second)), "two");
  send(client, serial, Status::more, "one");
  EXPECT_EQ(text(packet(client, serial)), "one");
}

TEST_F(StreamTest, AnswersAnAbortAndTellsTheHandler) {
  auto client = connect_and_greet();
  const auto serial = open(client, "echo");
  send(client, serial, Status::error);
  const auto end = packet(client, serial);
  EXPECT_EQ(end.header.status, Status::ok);
  EXPECT_TRUE(story_.has("receive failed: the client aborted the stream"));
  send(client, serial, Status::more, "late");
  EXPECT_TRUE(client.quiet(50));
}

TEST_F(StreamTest, TellsTheHandlerThatTheClientHasGone) {
  auto client = connect_and_greet();
  open(client, "echo");
  client.leave();
  EXPECT_TRUE(story_.has("receive failed: the client has gone"));
}

TEST_F(StreamTest, ASenderWaitsForTheClientAndThenFinishesFirst) {
  limits_.write_pause_bytes = 200'000;
  auto client = connect_and_greet();
  const auto serial = open(client, "flood");
  ASSERT_TRUE(story_.has("sent one"));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_LT(story_.count("sent one"), 30);
  std::size_t bytes = 0;
  for (;;) {
    const auto got = packet(client, serial);
    EXPECT_EQ(got.header.status, Status::more);
    if (got.payload.empty() || HasFailure()) break;
    EXPECT_EQ(got.payload[0], static_cast<std::byte>(bytes / 100'000));
    bytes += got.payload.size();
  }
  EXPECT_EQ(bytes, 6'400'000u);
  send(client, serial, Status::ok);
  EXPECT_EQ(packet(client, serial).header.status, Status::ok);
  EXPECT_TRUE(story_.has("client finished, too"));
}

TEST_F(StreamTest, AWaitingSenderLearnsThatTheClientHasGone) {
  limits_.write_pause_bytes = 200'000;
  auto client = connect_and_greet();
  open(client, "flood");
  ASSERT_TRUE(story_.has("sent one"));
  client.leave();
  EXPECT_TRUE(story_.has("send failed: the client has gone"));
}

TEST_F(StreamTest, TheHandlersAbortReachesTheClientAfterTheReply) {
  auto client = connect_and_greet();
  const auto serial = open(client, "abort");
  const auto end = packet(client, serial);
  EXPECT_EQ(end.header.status, Status::error);
  EXPECT_EQ(end.error().code, VIR_ERR_OPERATION_FAILED);
  EXPECT_EQ(end.error().detail, "the console broke");
}

TEST_F(StreamTest, HolesAndUnknownStatesAreRefused) {
  auto client = connect_and_greet();
  auto serial = open(client, "echo");
  send(client, serial, Status::more, "123456789012", Type::stream_hole);
  auto end = packet(client, serial);
  EXPECT_EQ(end.header.status, Status::error);
  EXPECT_EQ(end.error().code, VIR_ERR_OPERATION_UNSUPPORTED);

  serial = open(client, "echo");
  send(client, serial, static_cast<Status>(9));
  end = packet(client, serial);
  EXPECT_EQ(end.error().code, VIR_ERR_RPC);
  EXPECT_EQ(end.error().domain, VIR_FROM_STREAMS);
  EXPECT_EQ(end.error().detail, "stream aborted with unexpected status 9");
}

TEST_F(StreamTest, AFailedCallHasNoStream) {
  auto client = connect_and_greet();
  wire::remote_domain_open_console_args args;
  args.dev_name = "refuse";
  const auto reply = client.call(domain_open_console, args);
  EXPECT_EQ(reply.error().detail, "no console");
  send(client, reply.header.serial, Status::more, "x");
  EXPECT_TRUE(client.quiet(50));
}

TEST_F(StreamTest, TooManyAreRefused) {
  limits_.streams = 2;
  auto client = connect_and_greet();
  open(client, "echo");
  open(client, "echo");
  EXPECT_EQ(client.call(domain_open_console, wire::remote_domain_open_console_args{}).error().detail,
            "too many open streams, at most 2 per connection");
}

TEST_F(StreamTest, ReadingPausesWhileTheHandlerDoesNotTakeTheData) {
  limits_.stream_queue_bytes = 100'000;
  auto client = connect_and_greet();
  const auto serial = open(client, "idle");
  const std::string block(60'000, 'x');
  send(client, serial, Status::more, block);
  send(client, serial, Status::more, block);
  client.send_call(domain_lookup_by_name, wire::remote_domain_lookup_by_name_args{.name = "db"});
  EXPECT_TRUE(client.quiet(100));
  client.leave();
  EXPECT_TRUE(story_.has("session over"));
}

}  // namespace
}  // namespace vireo::doors::libvirt::testing
