// Changing what a definition says for people and applications, on the simulated hypervisor.
#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

core::DefinitionEdit entitle(const std::string& title) {
  return [title](model::DomainDef& def) -> Result<void> {
    if (title == "bad") return fail(VIR_ERR_INVALID_ARG, "a bad title");
    def.title = title;
    return {};
  };
}

struct SetMetadata : ::testing::Test {
  Result<void> set(const std::string& title, unsigned flags) {
    return sim.run(core::set_metadata(sim.host, ref_of(web), entitle(title), flags, {}));
  }
  std::string kept() { return sim.see(ref_of(web))->persistent->title; }
  std::string live() { return sim.see(ref_of(web))->live->title; }

  SimHost sim;
  const model::DomainDef web = definition("web");
};

TEST_F(SetMetadata, FlagsSayWhichDefinition) {
  EXPECT_EQ(set("x", 0).error().code, VIR_ERR_NO_DOMAIN);
  ASSERT_TRUE(sim.run(core::define(sim.host, web)));
  ASSERT_TRUE(set("rest", VIR_DOMAIN_AFFECT_CURRENT));
  EXPECT_EQ(kept(), "rest");
  EXPECT_EQ(set("x", VIR_DOMAIN_AFFECT_LIVE).error().detail, "domain is not running");
  ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(web), {})));
  ASSERT_TRUE(set("live", VIR_DOMAIN_AFFECT_CURRENT));
  ASSERT_TRUE(set("config", VIR_DOMAIN_AFFECT_CONFIG));
  EXPECT_EQ(live(), "live");
  EXPECT_EQ(kept(), "config");
  ASSERT_TRUE(set("both", VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG));
  EXPECT_EQ(live() + kept(), "bothboth");
  EXPECT_EQ(set("bad", VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG).error().detail, "a bad title");
  EXPECT_EQ(live() + kept(), "bothboth") << "nothing has changed";
  ASSERT_TRUE(sim.run(core::undefine(sim.host, ref_of(web))));
  EXPECT_EQ(set("x", VIR_DOMAIN_AFFECT_CONFIG).error().detail, "transient domains do not have any persistent config");
  EXPECT_TRUE(set("live", VIR_DOMAIN_AFFECT_LIVE));
}

}  // namespace
}  // namespace vireo::tests
