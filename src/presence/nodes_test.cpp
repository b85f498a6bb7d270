// What a change of a guest's view does to its nodes; what the nodes of whole definitions are is in tests/golden/nodes.
#include "presence/nodes.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace vireo::presence {
namespace {

using model::DomainView;

DomainView running() {
  auto def = std::make_shared<model::DomainDef>();
  def->memory_kib = def->current_memory_kib = 1024;
  DomainView view{.uuid = Uuid::random(), .name = "web", .id = 7, .live = std::move(def)};
  view.state = VIR_DOMAIN_RUNNING;
  view.pid = 4711;
  return view;
}

TEST(Nodes, ViewsThatLookAlikeHaveTheSame) {
  const std::function<void(DomainView&)> told[] = {
      [](DomainView& view) { view.state = VIR_DOMAIN_PAUSED; },
      [](DomainView& view) { view.name = "www"; },
      [](DomainView& view) { view.pid = 4712; },
      [](DomainView& view) { view.id = 8; },
      [](DomainView& view) { view.uuid = Uuid::random(); },
      [](DomainView& view) { view.boot = std::make_shared<model::BootTimes>(); },
      [](DomainView& view) {
        auto def = *view.live;
        def.current_memory_kib = 512;
        view.live = std::make_shared<model::DomainDef>(def);
      },
  };
  const auto view = running();
  for (const auto& change : told) {
    auto other = view;
    change(other);
    EXPECT_FALSE(described_alike(view, other)) << &change - told;
    EXPECT_NE(nodes_of(view), nodes_of(other)) << &change - told;
  }
  auto other = view;
  other.reason = VIR_DOMAIN_RUNNING_UNPAUSED;
  other.autostart = other.updated = other.tainted_by_monitor = true;
  other.persistent = view.live;
  other.last_launch = std::make_shared<model::LaunchTrace>();
  EXPECT_TRUE(described_alike(view, other));
  EXPECT_EQ(nodes_of(view), nodes_of(other));
}

TEST(Nodes, OnlyRunningGuestsHaveSome) {
  auto view = running();
  EXPECT_FALSE(places_of(view).empty());
  view.id = -1;
  EXPECT_TRUE(nodes_of(view).empty());
  EXPECT_TRUE(places_of(view).empty());
}

// A guest's name may be anything but a path; a value that no message can carry is left out.
TEST(Nodes, OddValues) {
  auto view = running();
  const auto name = [&] {
    for (const auto& node : nodes_of(view))
      if (node.path == "/local/domain/7/name") return node.value;
    return std::string("none");
  };
  view.name = "\"\n\xc3\xa4 \x80";
  EXPECT_EQ(name(), view.name);
  view.name = std::string(4096, 'x');
  EXPECT_EQ(name(), view.name);
  view.name += 'x';
  EXPECT_EQ(name(), "none");
}

TEST(Nodes, StatesAreLibvirtsWords) {
  EXPECT_EQ(state_word(VIR_DOMAIN_RUNNING), "running");
  EXPECT_EQ(state_word(VIR_DOMAIN_SHUTDOWN), "in shutdown");
  EXPECT_EQ(state_word(VIR_DOMAIN_PMSUSPENDED), "pmsuspended");
  EXPECT_EQ(state_word(99), "no state");
}

}  // namespace
}  // namespace vireo::presence
