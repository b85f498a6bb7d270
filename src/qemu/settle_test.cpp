// Which settings a definition asks of the monitor, and questions that travel together.
#include "qemu/settle.hpp"

#include "qemu/guest_event.hpp"
#include "qemu/test_support.hpp"
#include "qemu/together.hpp"

namespace vireo::qemu {
namespace {

using namespace std::chrono_literals;
using namespace model;
using Kind = ports::GuestEvent::Kind;

std::string text_of(const std::vector<Setting>& settings) {
  std::string text;
  for (const auto& setting : settings) text += setting.command + qmp::json::serialize(setting.arguments) + "\n";
  return text;
}

TEST(Settings, AreWhatTheCommandLineCannotSay) {
  DomainDef def;
  def.memory_kib = def.current_memory_kib = 2048;
  def.devices.interfaces = {{.link = LinkState::up, .info = {.alias = "net0"}},
                            {.link = LinkState::down, .info = {.alias = "ua-lan"}}};
  def.devices.memballoon = MemBalloon{.info = {.alias = "balloon0"}};
  EXPECT_EQ(text_of(settings_of(def)), "set_link{\"name\":\"ua-lan\",\"up\":false}\n");
  def.devices.interfaces.clear();
  def.current_memory_kib = 1024;
  def.devices.memballoon->stats_period_s = 7;
  EXPECT_EQ(text_of(settings_of(def)),
            "qom-set{\"path\":\"/machine/peripheral/balloon0\",\"property\":\"guest-stats-polling-interval\","
            "\"value\":7}\nballoon{\"value\":1048576}\n");
  def.devices.memballoon->model = BalloonModel::none;
  EXPECT_EQ(text_of(settings_of(def)), "");
}

TEST(GuestEvents, OfChannelsAndTheBalloon) {
  const auto channel = guest_event_of({.name = "VSERPORT_CHANGE", .data = {{"id", "channel0"}, {"open", true}}});
  ASSERT_TRUE(channel);
  EXPECT_EQ(channel->kind, Kind::ChannelChanged);
  EXPECT_EQ(channel->detail, "channel0");
  EXPECT_TRUE(channel->connected);
  const auto balloon = guest_event_of({.name = "BALLOON_CHANGE", .data = {{"actual", 83886080}}});
  ASSERT_TRUE(balloon);
  EXPECT_EQ(balloon->kind, Kind::BalloonChanged);
  EXPECT_EQ(balloon->memory_kib, 81920U);
}

asio::awaitable<Result<void>> meet(std::shared_ptr<int> here, int all, Wake& everybody) {
  if (++*here == all) everybody.fire();
  const bool met = co_await everybody.wait(Deadline::in(5s));
  if (!met) co_return fail(VIR_ERR_OPERATION_TIMEOUT, "one waits for the other");
  co_return Result<void>();
}

asio::awaitable<Result<void>> refuse() { co_return fail(VIR_ERR_OPERATION_FAILED, "no"); }

TEST(Together, AllAreUnderWayAtOnce) {
  asio::io_context core;
  Wake everybody(core.get_executor());
  auto here = std::make_shared<int>(0);
  std::vector<asio::awaitable<Result<void>>> parts;
  parts.reserve(3);
  for (int i = 0; i < 3; ++i) parts.push_back(meet(here, 3, everybody));
  EXPECT_TRUE(test::run(core, together(std::move(parts), Deadline::in(10s))));
}

TEST(Together, AFailureIsTheAnswerWhenAllHaveEnded) {
  asio::io_context core;
  Wake everybody(core.get_executor());
  auto here = std::make_shared<int>(0);
  std::vector<asio::awaitable<Result<void>>> parts;
  parts.push_back(refuse());
  parts.push_back(meet(here, 1, everybody));
  auto done = test::run(core, together(std::move(parts), Deadline::in(10s)));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().detail, "no");
  EXPECT_EQ(*here, 1);
  EXPECT_TRUE(test::run(core, together({}, Deadline::in(10s))));
}

}  // namespace
}  // namespace vireo::qemu
