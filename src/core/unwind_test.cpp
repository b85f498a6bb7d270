// Unwind and the list of what is legal.
#include "core/unwind.hpp"

#include <gtest/gtest.h>

#include "core/legality.hpp"

namespace vireo::core {
namespace {

asio::awaitable<void> note(std::string& order, char what) {
  order += what;
  co_return;
}

asio::awaitable<void> unwind_two(std::string& order, bool keep) {
  Unwind undo;
  undo.add([&order] { return note(order, 'a'); });
  undo.add([&order] { return note(order, 'b'); });
  if (keep) undo.keep();
  co_await undo.unwind();
}

TEST(Unwind, AwaitsItsStepsLastFirstUnlessKept) {
  asio::io_context io;
  std::string order, kept;
  asio::co_spawn(io, unwind_two(order, false), asio::detached);
  asio::co_spawn(io, unwind_two(kept, true), asio::detached);
  io.run();
  EXPECT_EQ(order, "ba");
  EXPECT_EQ(kept, "");
}

TEST(Legality, FollowsTheState) {
  const auto def = std::make_shared<const model::DomainDef>();
  const model::DomainView off{.name = "web", .persistent = def};
  const model::DomainView running{.name = "web", .id = 1, .persistent = def, .live = def, .state = VIR_DOMAIN_RUNNING};
  const model::DomainView transient{.name = "web", .id = 1, .live = def, .state = VIR_DOMAIN_PAUSED};
  EXPECT_TRUE(allow(Verb::Start, off));
  EXPECT_EQ(allow(Verb::Start, running).error().detail, "domain is already running");
  EXPECT_EQ(allow(Verb::Resume, running).error().detail, "domain is already running");
  EXPECT_TRUE(allow(Verb::Resume, transient));
  EXPECT_TRUE(allow(Verb::Undefine, off));
  EXPECT_EQ(allow(Verb::Undefine, transient).error().detail, "cannot undefine transient domain");
  EXPECT_EQ(allow(Verb::SetAutostart, transient).error().detail, "cannot set autostart for transient domain");
  EXPECT_EQ(allow(Verb::Create, running).error().detail, "domain 'web' is already active");
  for (const auto verb : {Verb::Destroy, Verb::Suspend, Verb::Resume, Verb::Reset, Verb::Shutdown, Verb::Reboot,
                          Verb::MonitorCommand, Verb::OpenConsole}) {
    EXPECT_EQ(allow(verb, off).error().detail, "domain is not running") << name_of(verb);
    EXPECT_EQ(allow(verb, off).error().code, VIR_ERR_OPERATION_INVALID) << name_of(verb);
  }
}

}  // namespace
}  // namespace vireo::core
