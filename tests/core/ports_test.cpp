// Which TCP ports guests' displays get: VNC and SPICE draw from one table, whatever their ranges are.
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using namespace std::chrono_literals;
using model::Graphics;
using enum model::GraphicsType;

// Ports that hardly anybody else on the host listens on.
constexpr int kFirst = 64'700;

model::DomainDef shown(const std::string& name, std::vector<Graphics> graphics) {
  auto def = definition(name);
  def.devices.graphics = std::move(graphics);
  return def;
}

struct Ports : ::testing::Test {
  SimHost sim;
  core::Host& host = sim.host;

  void SetUp() override {
    host.settings.vnc_first_port = host.settings.spice_first_port = kFirst;
    host.settings.vnc_last_port = host.settings.spice_last_port = kFirst + 1;
  }
  Result<void> create(const model::DomainDef& def) {
    auto created = sim.run(core::create(host, def, {}));
    if (!created) return pass_on(created);
    return {};
  }
  std::vector<int> ports_of(const model::DomainDef& def) {
    std::vector<int> ports;
    for (const auto& graphics : sim.see(ref_of(def))->live->devices.graphics) ports.push_back(graphics.port);
    return ports;
  }
  std::string refusal(const model::DomainDef& def) {
    const auto created = create(def);
    return created ? "it was started" : created.error().message();
  }
};

TEST_F(Ports, BothKindsOfDisplayDrawFromOneTable) {
  const auto both = shown("both", {{.type = spice, .autoport = true}, {.autoport = true}});
  ASSERT_TRUE(create(both));
  EXPECT_EQ(ports_of(both), (std::vector{kFirst, kFirst + 1}));
  EXPECT_EQ(refusal(shown("late", {{.type = spice, .autoport = true}})),
            "internal error: Unable to find an unused port in range 'spice' (64700-64701)");
  EXPECT_EQ(refusal(shown("late", {{.autoport = true}})),
            "internal error: Unable to find an unused port in range 'VNC' (64700-64701)");
  EXPECT_EQ(refusal(shown("late", {{.type = spice, .port = kFirst + 1}})),
            "unsupported configuration: SPICE port 64701 is used by guest 'both'; choose another port or "
            "autoport='yes'");
  EXPECT_EQ(refusal(shown("late", {{.port = kFirst}})),
            "unsupported configuration: VNC port 64700 is used by guest 'both'; choose another port or autoport='yes'");
  ASSERT_TRUE(sim.run(core::destroy(host, ref_of(both), false)));
  sim.settle();
  EXPECT_EQ(host.tcp_ports.size(), 0U);
  const auto late = shown("late", {{.type = spice, .port = kFirst + 1}});
  EXPECT_TRUE(create(late));
}

TEST_F(Ports, EachKindHasItsRange) {
  host.settings.spice_first_port = host.settings.spice_last_port = kFirst + 2;
  const auto both = shown("both", {{.autoport = true}, {.type = spice, .autoport = true}});
  ASSERT_TRUE(create(both));
  EXPECT_EQ(ports_of(both), (std::vector{kFirst, kFirst + 2}));
}

TEST_F(Ports, WhatAGuestAsksForByNumberIsNotGivenToItsOtherDisplay) {
  const auto both = shown("both", {{.autoport = true}, {.type = spice, .port = kFirst}});
  ASSERT_TRUE(create(both));
  EXPECT_EQ(ports_of(both), (std::vector{kFirst + 1, kFirst}));
}

TEST_F(Ports, ADisplayThatListensNowhereTakesNone) {
  const std::vector<model::Listen> nowhere{{.type = model::ListenType::none, .address = {}}};
  const auto hidden =
      shown("hidden", {{.autoport = true, .listens = nowhere}, {.type = spice, .port = 0, .listens = nowhere}});
  ASSERT_TRUE(create(hidden));
  EXPECT_EQ(ports_of(hidden), (std::vector{-1, 0}));
  EXPECT_EQ(host.tcp_ports.size(), 0U);
}

}  // namespace
}  // namespace vireo::tests
