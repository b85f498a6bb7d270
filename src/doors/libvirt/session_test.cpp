// Calls over a real socket pair: what libvirtd answers in each situation (found by asking one), concurrency, limits,
// and what becomes of a call whose client has gone.
#include "doors/libvirt/test_door.hpp"

namespace vireo::doors::libvirt::testing {
namespace {

using enum proc::Remote;
using wire::remote_connect_supports_feature_args;
using wire::remote_domain_destroy_args;
using wire::remote_domain_lookup_by_name_args;
using wire::remote_domain_resume_args;
using wire::remote_domain_suspend_args;

class SessionTest : public DoorTest {};

void expect_error(const Message& message, int domain, int code, const std::string& detail) {
  EXPECT_EQ(message.header.status, Status::error);
  const auto error = message.error();
  EXPECT_EQ(error.domain, domain) << error.detail;
  EXPECT_EQ(error.code, code) << error.detail;
  EXPECT_EQ(error.detail, detail);
}

TEST_F(SessionTest, OffersNoAuthenticationAndWantsToBeAskedFirst) {
  auto client = connect();
  expect_error(client.call(connect_get_version), VIR_FROM_RPC, VIR_ERR_RPC, "authentication required");
  expect_error(client.call(connect_supports_feature, remote_connect_supports_feature_args{.feature = 10}), VIR_FROM_RPC,
               VIR_ERR_RPC, "authentication required");
  const auto list = client.call(auth_list).as<wire::remote_auth_list_ret>();
  ASSERT_EQ(list.types.size(), 1u);
  EXPECT_EQ(list.types[0], wire::remote_auth_type::none);
  expect_error(client.call(auth_sasl_init), VIR_FROM_RPC, VIR_ERR_AUTH_FAILED, "authentication failed");
}

TEST_F(SessionTest, AnswersOnlyTheGreetingBeforeItIsOpen) {
  auto client = connect();
  client.call(auth_list);
  expect_error(client.call(connect_get_version), VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR,
               "hypervisor connection not open");
  expect_error(client.call(connect_supports_feature, remote_connect_supports_feature_args{.feature = 14}), VIR_FROM_RPC,
               VIR_ERR_INTERNAL_ERROR, "hypervisor connection not open");
  EXPECT_EQ(client.call(connect_supports_feature, remote_connect_supports_feature_args{.feature = 10})
                .as<wire::remote_connect_supports_feature_ret>()
                .supported,
            1);
  wire::remote_connect_open_args open;
  open.name = "foo:///";
  expect_error(client.call(connect_open, open), VIR_FROM_TEST, VIR_ERR_NO_CONNECT, "foo:///");
  open.name = "test:///default";
  EXPECT_EQ(client.call(connect_open, open).header.status, Status::ok);
  expect_error(client.call(connect_open, open), VIR_FROM_RPC, VIR_ERR_INTERNAL_ERROR, "connection already open");
}

TEST_F(SessionTest, NamesWhatItDoesNotKnow) {
  auto client = connect_and_greet();
  const auto ask = [&](Header header) {
    client.send(header);
    auto reply = client.receive();
    EXPECT_TRUE(reply);
    if (!reply) return Message{};
    EXPECT_EQ(reply->header.program, header.program);
    EXPECT_EQ(reply->header.version, header.version);
    EXPECT_EQ(reply->header.procedure, header.procedure);
    EXPECT_EQ(reply->header.serial, header.serial);
    EXPECT_EQ(reply->header.type, Type::reply);
    return *reply;
  };
  const auto good = Client::header_of(connect_get_version, 5);
  auto header = good;
  header.procedure = 9999;
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: 9999");
  header.procedure = -1;
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: -1");
  header.procedure = static_cast<int>(domain_event_lifecycle);
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "unknown procedure: 107");
  header = good;
  header.program = 0x12345678;
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "Cannot find program 305419896 version 1");
  header = good;
  header.version = 2;
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "Cannot find program 536903814 version 2");
  header = good;
  header.status = Status::more;
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "Unexpected message status 2");
  header.program = proc::keepalive_program;
  header.procedure = 1;
  expect_error(ask(header), VIR_FROM_RPC, VIR_ERR_RPC, "Cannot find program 1801807216 version 1");
}

TEST_F(SessionTest, IgnoresTypesThatAClientDoesNotSend) {
  auto client = connect_and_greet();
  for (auto type : {Type::reply, Type::message, Type::reply_with_fds, static_cast<Type>(9)})
    client.send(Client::header_of(connect_get_version, 3, type));
  client.send(Client::header_of(domain_open_console, 3, Type::stream, Status::more));
  expect_error(client.call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "nope"}), VIR_FROM_TEST,
               VIR_ERR_NO_DOMAIN, "no domain with matching name 'nope'");
}

TEST_F(SessionTest, TakesACallWithRoomForDescriptorsOnlyWithoutAny) {
  auto client = connect_and_greet();
  Bytes payload(4);
  const auto args = xdr::encode(remote_domain_lookup_by_name_args{.name = "web"}).value();
  payload.insert(payload.end(), args.begin(), args.end());
  client.send(Client::header_of(domain_lookup_by_name, 3, Type::call_with_fds), payload);
  auto reply = client.receive();
  ASSERT_TRUE(reply);
  EXPECT_EQ(reply->as<wire::remote_domain_lookup_by_name_ret>().dom.name, "web");
  payload[3] = std::byte{1};
  client.send(Client::header_of(domain_lookup_by_name, 4, Type::call_with_fds), payload);
  EXPECT_TRUE(client.ends());
}

TEST_F(SessionTest, SaysWhichCallHasNoHandler) {
  auto client = connect_and_greet();
  expect_error(client.call(node_device_dettach, wire::remote_node_device_dettach_args{.name = "x"}), VIR_FROM_NODEDEV,
               VIR_ERR_NO_SUPPORT, "virNodeDeviceDettach");
  expect_error(client.call(proc::Qemu::domain_monitor_command), VIR_FROM_NONE, VIR_ERR_NO_SUPPORT,
               "virDomainQemuMonitorCommand");
}

TEST_F(SessionTest, RefusesPayloadsThatDoNotFit) {
  auto client = connect_and_greet();
  const auto ask = [&](std::span<const std::byte> payload) {
    client.send(Client::header_of(domain_lookup_by_name, 3), payload);
    return client.receive().value_or(Message{});
  };
  auto payload = xdr::encode(remote_domain_lookup_by_name_args{.name = "web"}).value();
  expect_error(ask(std::span(payload).first(6)), VIR_FROM_RPC, VIR_ERR_RPC, "Unable to decode message payload");
  payload.resize(payload.size() + 4);
  expect_error(ask(payload), VIR_FROM_RPC, VIR_ERR_RPC, "Unable to decode message payload");
}

TEST_F(SessionTest, EndsOnALengthThatCannotBe) {
  for (std::uint32_t length : {27u, static_cast<std::uint32_t>(frame_max + 1)}) {
    auto client = connect_and_greet();
    Bytes bytes(28);
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::byte>(length >> (24 - 8 * i));
    client.send_bytes(bytes);
    EXPECT_TRUE(client.ends()) << length;
  }
}

TEST_F(SessionTest, ReadOnlyClientsAreRefusedByTheTable) {
  auto client = connect_and_greet(true);
  expect_error(client.call(domain_destroy, on<remote_domain_destroy_args>("web")), VIR_FROM_DOMAIN,
               VIR_ERR_OPERATION_DENIED, "read only access prevents virDomainDestroy");
  wire::remote_domain_get_xml_desc_args xml;
  xml.dom.id = 3;
  EXPECT_EQ(client.call(domain_get_xml_desc, xml).as<wire::remote_domain_get_xml_desc_ret>().xml, "xxx");
  for (std::uint32_t flag : {VIR_DOMAIN_XML_SECURE, VIR_DOMAIN_XML_MIGRATABLE}) {
    xml.flags = flag;
    expect_error(client.call(domain_get_xml_desc, xml), VIR_FROM_DOMAIN, VIR_ERR_OPERATION_DENIED,
                 "virDomainGetXMLDesc with secure flag");
  }
  wire::remote_domain_get_vcpus_flags_args vcpus;
  vcpus.flags = VIR_DOMAIN_VCPU_GUEST;
  expect_error(client.call(domain_get_vcpus_flags, vcpus), VIR_FROM_DOMAIN, VIR_ERR_OPERATION_DENIED,
               "read only access prevents virDomainGetVcpusFlags");
  // The same on a connection that may write.
  auto writer = connect_and_greet();
  xml.flags = VIR_DOMAIN_XML_SECURE;
  EXPECT_EQ(writer.call(domain_get_xml_desc, xml).as<wire::remote_domain_get_xml_desc_ret>().xml, "xxx");
}

TEST_F(SessionTest, AnswersBySerialWhileAnotherCallIsHeld) {
  auto client = connect_and_greet();
  const auto held = client.send_call(domain_suspend, on<remote_domain_suspend_args>("web"));
  ASSERT_TRUE(story_.has("holding web"));
  EXPECT_EQ(client.call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "db"})
                .as<wire::remote_domain_lookup_by_name_ret>()
                .dom.name,
            "db");
  const auto release = client.send_call(domain_resume, on<remote_domain_resume_args>("web"));
  std::set<std::uint32_t> answered;
  for (int i = 0; i < 2; ++i)
    if (auto reply = client.receive()) answered.insert(reply->header.serial);
  EXPECT_EQ(answered, (std::set<std::uint32_t>{held, release}));
  EXPECT_TRUE(story_.has("released web"));
}

TEST_F(SessionTest, TellsHowLongCallsTook) {
  auto client = connect_and_greet();
  const auto held = client.send_call(domain_suspend, on<remote_domain_suspend_args>("web"));
  ASSERT_TRUE(story_.has("holding web"));
  client.call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "db"});
  client.call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "nope"});
  client.call(static_cast<proc::Remote>(9999));
  const auto took = [this](std::string_view procedure) {
    for (const auto& each : common_->latencies.read())
      if (each.procedure == procedure) return each.took;
    return Histogram::Figures{};
  };
  EXPECT_EQ(took("connect_open").count(), 1U);
  EXPECT_EQ(took("domain_lookup_by_name").count(), 2U) << "a refusal is an answer";
  EXPECT_EQ(took("domain_suspend").count(), 0U) << "nobody has an answer yet";
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  client.send_call(domain_resume, on<remote_domain_resume_args>("web"));
  std::set<std::uint32_t> answered;
  for (int i = 0; i < 2; ++i)
    if (auto reply = client.receive()) answered.insert(reply->header.serial);
  ASSERT_TRUE(answered.contains(held));
  EXPECT_EQ(took("domain_suspend").count(), 1U);
  EXPECT_GE(took("domain_suspend").total_ns, 20'000'000U) << "from its arrival on, while others were answered";
}

TEST_F(SessionTest, CancelsACallWhoseClientHasGone) {
  auto client = connect_and_greet();
  client.send_call(domain_suspend, on<remote_domain_suspend_args>("web"));
  ASSERT_TRUE(story_.has("holding web"));
  EXPECT_EQ(gate_->inside(), 1u);
  client.leave();
  EXPECT_TRUE(story_.has("cancelled web"));
  EXPECT_TRUE(story_.has("session over"));
  EXPECT_TRUE(gate_->wait_until_empty(Deadline::in(std::chrono::seconds(5))));
  EXPECT_EQ(story_.count("hook"), 1);
}

TEST_F(SessionTest, AThrowingHandlerCostsItsOwnCallOnly) {
  auto client = connect_and_greet();
  expect_error(client.call(domain_destroy, on<remote_domain_destroy_args>("web")), VIR_FROM_TEST,
               VIR_ERR_INTERNAL_ERROR, "the toy broke");
  EXPECT_EQ(client.call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "db"}).header.status,
            Status::ok);
}

TEST_F(SessionTest, StopsReadingAtItsLimitOfCallsAndStillSeesTheClientLeave) {
  limits_.calls_in_flight = 2;
  auto client = connect_and_greet();
  for (const char* name : {"a", "b", "c"}) client.send_call(domain_suspend, on<remote_domain_suspend_args>(name));
  ASSERT_TRUE(story_.has("holding a"));
  ASSERT_TRUE(story_.has("holding b"));
  EXPECT_TRUE(client.quiet(100));
  EXPECT_EQ(story_.count("holding c"), 0);
  client.leave();
  EXPECT_TRUE(story_.has("cancelled a"));
  EXPECT_TRUE(story_.has("cancelled b"));
  EXPECT_TRUE(story_.has("session over"));
  EXPECT_EQ(story_.count("holding c"), 0);
}

TEST_F(SessionTest, ReadsOnWhenACallIsAnswered) {
  limits_.calls_in_flight = 1;
  auto client = connect_and_greet();
  client.send_call(domain_destroy, on<remote_domain_destroy_args>("a"));
  client.send_call(domain_destroy, on<remote_domain_destroy_args>("b"));
  const auto last = client.send_call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "db"});
  std::uint32_t seen = 0;
  for (int i = 0; i < 3; ++i)
    if (auto reply = client.receive()) seen = reply->header.serial;
  EXPECT_EQ(seen, last);
}

TEST_F(SessionTest, LargeRepliesWaitForASlowReader) {
  limits_.write_pause_bytes = 100'000;
  auto client = connect_and_greet();
  wire::remote_domain_get_xml_desc_args xml;
  xml.dom.id = 1'000'000;
  for (int i = 0; i < 30; ++i) client.send_call(domain_get_xml_desc, xml);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  for (int i = 0; i < 30; ++i) {
    auto reply = client.receive();
    ASSERT_TRUE(reply) << i;
    EXPECT_EQ(reply->as<wire::remote_domain_get_xml_desc_ret>().xml.size(), 1'000'000u);
  }
}

TEST_F(SessionTest, EventsComeFromAnyThread) {
  auto client = connect_and_greet();
  std::thread other([&] {
    wire::remote_domain_event_callback_lifecycle_msg event;
    event.callbackID = 7;
    event.msg.dom.name = "web";
    sessions_.back()->send_event(domain_event_callback_lifecycle, event);
  });
  other.join();
  auto message = client.receive();
  ASSERT_TRUE(message);
  EXPECT_EQ(message->header.type, Type::message);
  EXPECT_EQ(message->header.serial, 0u);
  EXPECT_EQ(message->header.procedure, static_cast<int>(domain_event_callback_lifecycle));
  const auto event = message->as<wire::remote_domain_event_callback_lifecycle_msg>();
  EXPECT_EQ(event.callbackID, 7);
  EXPECT_EQ(event.msg.dom.name, "web");
}

TEST_F(SessionTest, DropsAClientThatNeverReads) {
  limits_.write_queue_bytes = 1 << 20;
  auto client = connect_and_greet();
  for (int i = 0; i < 200; ++i) {
    sessions_.back()->send_event(proc::remote_program, static_cast<int>(domain_event_lifecycle), Bytes(50'000));
    std::this_thread::sleep_for(std::chrono::microseconds(200));
  }
  EXPECT_TRUE(story_.has("session over"));
  EXPECT_TRUE(client.ends());
}

TEST_F(SessionTest, AnswersThenEndsAtClose) {
  auto client = connect_and_greet();
  EXPECT_EQ(client.call(connect_close).header.status, Status::ok);
  EXPECT_TRUE(client.ends());
  EXPECT_TRUE(story_.has("hook"));
}

TEST_F(SessionTest, RefusesChangesOnceTheGateIsClosedButStillReads) {
  auto client = connect_and_greet();
  gate_->close();
  EXPECT_EQ(client.call(domain_resume, on<remote_domain_resume_args>("web")).error().code, VIR_ERR_OPERATION_INVALID);
  EXPECT_EQ(client.call(domain_lookup_by_name, remote_domain_lookup_by_name_args{.name = "db"}).header.status,
            Status::ok);
}

TEST_F(SessionTest, AnswersAPingEvenBeforeAnythingElse) {
  auto client = connect();
  client.send(Client::header_of(proc::Keepalive::ping, 0, Type::message));
  auto pong = client.receive();
  ASSERT_TRUE(pong);
  EXPECT_EQ(pong->header.program, proc::keepalive_program);
  EXPECT_EQ(pong->header.procedure, 2);
  EXPECT_EQ(pong->header.type, Type::message);
}

TEST_F(SessionTest, PingsOnlyAClientThatAskedAndDropsItWhenItIsSilent) {
  limits_.keepalive_interval = std::chrono::milliseconds(30);
  limits_.keepalive_count = 3;
  auto never_asked = connect_and_greet();
  auto asked = connect_and_greet();
  asked.call(connect_supports_feature, remote_connect_supports_feature_args{.feature = 10});
  int pings = 0;
  while (auto message = asked.receive()) {
    EXPECT_EQ(message->header.program, proc::keepalive_program);
    EXPECT_EQ(message->header.procedure, 1);
    ++pings;
    // The first two are answered, and the count begins anew.
    if (pings <= 2) asked.send(Client::header_of(proc::Keepalive::pong, 0, Type::message));
  }
  EXPECT_TRUE(asked.ended());
  EXPECT_GE(pings, 3);
  EXPECT_LE(pings, 9) << "five when all goes well; an answer may come as late as the third of three";
  EXPECT_TRUE(never_asked.quiet(100));
}

}  // namespace
}  // namespace vireo::doors::libvirt::testing
