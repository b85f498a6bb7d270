// What a guest tells of its devices by itself changes its live definition, for readers and for subscribers, and never
// the one that it will be started from next.
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using Kind = ports::GuestEvent::Kind;

struct GuestEvents : ::testing::Test {
  SimHost sim;
  model::DomainDef def = definition("web");
  std::vector<std::variant<model::BalloonChangeEvent, model::AgentLifecycleEvent>> told;
  std::unique_ptr<core::EventHub::Subscription> subscription;

  void SetUp() override {
    def.devices.channels = {{.name = "org.qemu.guest_agent.0", .info = {.alias = "channel0"}},
                            {.name = "other", .info = {.alias = "channel1"}}};
    sim.on_core([this] {
      subscription = sim.host.events.subscribe([this](const model::DomainEvent& event) {
        if (const auto* balloon = std::get_if<model::BalloonChangeEvent>(&event.what)) told.emplace_back(*balloon);
        if (const auto* agent = std::get_if<model::AgentLifecycleEvent>(&event.what)) told.emplace_back(*agent);
      });
    });
    ASSERT_TRUE(sim.run(core::define(sim.host, def)));
    ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(def), {})));
    sim.settle();
  }
  void TearDown() override {
    sim.on_core([this] { subscription.reset(); });
  }
  void guest_tells(ports::GuestEvent event) {
    sim.on_core([this, event] {
      const auto domain = sim.host.registry.all().front();
      core::event_sink(sim.host, domain, domain->run)(event);
    });
  }
  const model::Channel& channel(std::size_t i) { return sim.see(ref_of(def))->live->devices.channels[i]; }
  std::pair<int, int> agent(std::size_t i) {
    const auto& event = std::get<model::AgentLifecycleEvent>(told.at(i));
    return {event.state, event.reason};
  }
};

TEST_F(GuestEvents, AChannelOpensAndCloses) {
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(agent(0), std::pair(int{VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED},
                                int{VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_DOMAIN_STARTED}));
  guest_tells({.kind = Kind::ChannelChanged, .connected = true, .detail = "channel0"});
  guest_tells({.kind = Kind::ChannelChanged, .connected = true, .detail = "channel0"});  // no news
  EXPECT_EQ(channel(0).state, model::ChannelState::connected);
  EXPECT_NE(channel(1).state, model::ChannelState::connected);
  EXPECT_EQ(sim.see(ref_of(def))->persistent->devices.channels[0].state, model::ChannelState::unset);
  guest_tells({.kind = Kind::ChannelChanged, .connected = true, .detail = "channel1"});  // nobody's agent
  EXPECT_EQ(channel(1).state, model::ChannelState::connected);
  guest_tells({.kind = Kind::ChannelChanged, .connected = false, .detail = "channel0"});
  guest_tells({.kind = Kind::ChannelChanged, .connected = true, .detail = "charnone"});
  EXPECT_EQ(channel(0).state, model::ChannelState::disconnected);
  ASSERT_EQ(told.size(), 3U);
  EXPECT_EQ(agent(1), std::pair(int{VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED},
                                int{VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL}));
  EXPECT_EQ(agent(2), std::pair(int{VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_DISCONNECTED},
                                int{VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_REASON_CHANNEL}));
}

TEST_F(GuestEvents, TheBalloonTakesMemory) {
  guest_tells({.kind = Kind::BalloonChanged, .memory_kib = 512});
  EXPECT_EQ(sim.see(ref_of(def))->live->current_memory_kib, 512U);
  EXPECT_EQ(sim.see(ref_of(def))->persistent->current_memory_kib, 1024U);
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(std::get<model::BalloonChangeEvent>(told[1]).memory_kib, 512U);
}

}  // namespace
}  // namespace vireo::tests
