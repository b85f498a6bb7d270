// Fault points: counted, failing at the Nth, silent otherwise.
#include "base/fault.hpp"

#include <gtest/gtest.h>

namespace vireo {
namespace {

TEST(Fault, ADelayHoldsEveryCallerAndFailsNone) {
  fault::Armed armed({.name = "a.one", .action = fault::Action::Delay, .delay_ms = 30});
  const auto began = std::chrono::steady_clock::now();
  EXPECT_TRUE(fault::at("a.two"));
  EXPECT_FALSE(armed.hit());
  EXPECT_TRUE(fault::at("a.one"));
  EXPECT_TRUE(fault::at("a.one"));
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds(60));
  EXPECT_TRUE(armed.hit());
}

TEST(Fault, IsSilentUnlessArmed) { EXPECT_TRUE(fault::at("a.one")); }

TEST(Fault, TheNthOfANameFails) {
  fault::Armed armed({.name = "a.one", .nth = 2});
  EXPECT_TRUE(fault::at("a.one"));
  EXPECT_TRUE(fault::at("a.two"));
  EXPECT_FALSE(armed.hit());
  const auto failed = fault::at("a.one");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().detail, "injected fault at a.one");
  EXPECT_TRUE(armed.hit());
  EXPECT_TRUE(fault::at("a.one")) << "once is enough";
  EXPECT_EQ(armed.passed(), (std::vector<std::string>{"a.one", "a.two", "a.one", "a.one"}));
}

TEST(Fault, WithoutANameAllCount) {
  fault::Armed armed({.name = "", .nth = 3});
  EXPECT_TRUE(fault::at("a.one"));
  EXPECT_TRUE(fault::at("a.two"));
  EXPECT_FALSE(fault::at("a.three"));
}

TEST(Fault, KillEndsTheProcess) {
  EXPECT_EXIT(
      {
        fault::Armed armed({.name = "a.one", .nth = 1, .action = fault::Action::Kill});
        fault::passed("a.one");
      },
      ::testing::KilledBySignal(SIGKILL), "");
}

TEST(Fault, TheEnvironmentMustBeUnderstood) {
  for (const char* bad : {"x", "x=explode", "x:0=fail", "x:two=fail", "#=kill"}) {
    ::setenv("VIREO_FAULT", bad, 1);
    const auto armed = fault::arm_from_environment();
    ASSERT_FALSE(armed) << bad;
    EXPECT_EQ(armed.error().code, VIR_ERR_CONF_SYNTAX);
  }
  ::unsetenv("VIREO_FAULT");
  EXPECT_TRUE(fault::arm_from_environment());
}

}  // namespace
}  // namespace vireo
