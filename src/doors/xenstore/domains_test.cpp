// Domains that come and go, what is set for them, and who is told.
#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

using enum Operation;

class DomainRequests : public World {};

TEST_F(DomainRequests, AreIntroducedAndReleased) {
  EXPECT_EQ(zero_.ask(is_domain_introduced, "1|"), "F|");
  EXPECT_EQ(zero_.ask(introduce, "1|4660|5|"), "OK|");
  EXPECT_EQ(zero_.ask(is_domain_introduced, "1|"), "T|");
  EXPECT_EQ(zero_.ask(introduce, "1|-4660|6|"), "OK|") << "once more";
  EXPECT_EQ(zero_.ask(resume, "1|"), "OK|");
  EXPECT_EQ(zero_.ask(release, "1|"), "OK|");
  EXPECT_EQ(zero_.ask(is_domain_introduced, "1|"), "F|");
  EXPECT_EQ(zero_.ask(release, "1|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(resume, "1|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(is_domain_introduced, "0|"), "T|");
  EXPECT_EQ(zero_.ask(is_domain_introduced, "32752|"), "T|") << "the caller's own";
}

TEST_F(DomainRequests, WhatCannotBe) {
  for (const char* payload : {"", "1|", "1|2|", "1|2|3", "1|2|0|", "1|2|-1|", "1|2|x|", "x|2|3|", "0|2|3|"})
    EXPECT_EQ(zero_.ask(introduce, payload), "!EINVAL") << payload;
  EXPECT_EQ(zero_.ask(introduce, "99|2|3|"), "!ENOENT") << "there is no such domain";
  for (const auto operation : {release, resume}) {
    EXPECT_EQ(zero_.ask(operation, "0|"), "!EINVAL");
    EXPECT_EQ(zero_.ask(operation, "1"), "!EINVAL");
    EXPECT_EQ(zero_.ask(operation, "x|"), "!EINVAL");
  }
  EXPECT_EQ(zero_.ask(is_domain_introduced, "x|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(is_domain_introduced, "1|2|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_target, "1|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_target, "1|2|"), "!ENOENT");
  zero_.ask(introduce, "1|2|3|");
  EXPECT_EQ(zero_.ask(set_target, "1|2|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(set_target, "1|0|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_target, "1|x|"), "!EINVAL");
}

TEST_F(DomainRequests, AreForDomainZero) {
  Peer one(common_, 1);
  for (const auto operation :
       {control, introduce, release, is_domain_introduced, resume, set_target, set_feature, get_quota, set_quota})
    EXPECT_EQ(one.ask(operation, "1|2|3|"), "!EACCES") << static_cast<int>(operation);
  EXPECT_EQ(one.ask(get_domain_path, "2|"), "/local/domain/2|");
}

TEST_F(DomainRequests, TellWhereADomainIs) {
  EXPECT_EQ(zero_.ask(get_domain_path, "5|"), "/local/domain/5|");
  EXPECT_EQ(zero_.ask(get_domain_path, "05|"), "/local/domain/5|");
  EXPECT_EQ(zero_.ask(get_domain_path, "5"), "!EINVAL");
  EXPECT_EQ(zero_.ask(get_domain_path, "x|"), "!EINVAL");
}

TEST_F(DomainRequests, AreToldToThoseWhoWatch) {
  zero_.ask(watch, "@introduceDomain|i|");
  zero_.ask(watch, "@releaseDomain|r|");
  zero_.ask(watch, "@releaseDomain|d|1|");
  zero_.ask(watch, "@releaseDomain/1|only|");
  EXPECT_EQ(zero_.events(),
            (Lines{"@introduceDomain|i|", "@releaseDomain|r|", "@releaseDomain|d|", "@releaseDomain/1|only|"}));
  zero_.ask(introduce, "1|2|3|");
  zero_.ask(introduce, "2|2|3|");
  zero_.ask(introduce, "2|2|3|");
  EXPECT_EQ(zero_.events(), (Lines{"@introduceDomain|i|", "@introduceDomain|i|"}));
  zero_.ask(release, "2|");
  auto events = zero_.events();
  std::ranges::sort(events);
  EXPECT_EQ(events, (Lines{"@releaseDomain/2|d|", "@releaseDomain|r|"}));
  zero_.ask(release, "1|");
  events = zero_.events();
  std::ranges::sort(events);
  EXPECT_EQ(events, (Lines{"@releaseDomain/1|d|", "@releaseDomain/1|only|", "@releaseDomain|r|"}));
}

TEST_F(DomainRequests, AreToldToADomainOnlyIfItMayHear) {
  Peer one(common_, 1);
  one.ask(watch, "@introduceDomain|i|");
  one.events();
  zero_.ask(introduce, "2|2|3|");
  EXPECT_EQ(one.events(), Lines{});
  EXPECT_EQ(one.ask(get_perms, "@introduceDomain|"), "!EACCES");
  EXPECT_EQ(one.ask(set_perms, "@introduceDomain|r1|"), "!EACCES");
  EXPECT_EQ(zero_.ask(set_perms, "@introduceDomain|n0|r1|"), "OK|");
  EXPECT_EQ(zero_.ask(get_perms, "@introduceDomain|"), "n0|r1|");
  EXPECT_EQ(zero_.ask(get_perms, "@elsewhere|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(set_perms, "@elsewhere|n0|"), "!ENOENT");
  zero_.ask(introduce, "3|2|3|");
  EXPECT_EQ(one.events(), Lines{"@introduceDomain|i|"});
  common_.release(1);
  EXPECT_EQ(zero_.ask(get_perms, "@introduceDomain|"), "n0|") << "who has gone is not on the list any more";
}

TEST_F(DomainRequests, IntroducedAgainLoseWatchesAndTransactions) {
  zero_.ask(introduce, "1|2|3|");
  Peer one(common_, 1);
  one.ask(watch, "/a|t|");
  EXPECT_NE(one.begin(), 0u);
  one.events();
  zero_.ask(introduce, "1|2|3|");
  zero_.ask(write, "/a|");
  EXPECT_EQ(one.events(), Lines{});
  EXPECT_EQ(one.client.transactions(), 0u);
  EXPECT_EQ(one.client.over(), Client::Over::no);
}

TEST_F(DomainRequests, WhatIsReleasedLeavesNothing) {
  zero_.ask(introduce, "1|2|3|");
  zero_.ask(write, "/x/of-one/below|");
  zero_.ask(write, "/x/of-zero|");
  zero_.ask(set_perms, "/x/of-one|n1|");
  zero_.ask(set_perms, "/x/of-zero|n0|r1|");
  EXPECT_EQ(zero_.ask(set_quota, "1|nodes|5|"), "OK|");
  Peer one(common_, 1);
  one.ask(watch, "/x|t|");
  one.events();
  zero_.ask(watch, "/x|t|");
  zero_.events();
  EXPECT_EQ(zero_.ask(release, "1|"), "OK|");
  EXPECT_EQ(one.client.over(), Client::Over::released);
  EXPECT_EQ(one.events(), Lines{});
  EXPECT_EQ(zero_.events(), Lines{"/x/of-one|t|"});
  EXPECT_EQ(zero_.ask(directory, "/x|"), "of-zero|");
  EXPECT_EQ(zero_.ask(get_quota, "1|nodes|"), "1000|");
}

TEST_F(DomainRequests, AreOfferedFeatures) {
  EXPECT_EQ(zero_.ask(get_feature, "|"), "4|");
  EXPECT_EQ(zero_.ask(get_feature, ""), "4|");
  EXPECT_EQ(zero_.ask(get_feature, "1|"), "4|");
  EXPECT_EQ(zero_.ask(get_feature, "99|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(get_feature, "x|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(get_feature, "1|2|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_feature, "1|0|"), "OK|");
  EXPECT_EQ(zero_.ask(get_feature, "1|"), "0|");
  EXPECT_EQ(zero_.ask(set_feature, "1|8|"), "!EINVAL") << "nobody has that";
  EXPECT_EQ(zero_.ask(set_feature, "1|x|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_feature, "1|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_feature, "99|0|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(set_feature, "0|0|"), "!EBUSY");
  Peer one(common_, 1), two(common_, 2);
  EXPECT_EQ(one.ask(get_feature, "|"), "0|");
  EXPECT_EQ(one.ask(get_feature, "2|"), "!EACCES");
  EXPECT_EQ(one.ask(watch, "/a|t|1|"), "!EINVAL") << "it was not offered";
  EXPECT_EQ(two.ask(watch, "/a|t|1|"), "OK|");
  zero_.ask(introduce, "1|2|3|");
  EXPECT_EQ(zero_.ask(set_feature, "1|4|"), "!EBUSY");
}

TEST_F(DomainRequests, HaveQuotas) {
  EXPECT_EQ(zero_.ask(get_quota, ""), std::string(tree::Quotas::names()) + "|");
  EXPECT_EQ(zero_.ask(get_quota, "|"), std::string(tree::Quotas::names()) + "|");
  EXPECT_EQ(zero_.ask(get_quota, "nodes|"), "1000|");
  EXPECT_EQ(zero_.ask(get_quota, "1|nodes|"), "1000|");
  EXPECT_EQ(zero_.ask(get_quota, "nonsense|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(get_quota, "1|nonsense|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(get_quota, "99|nodes|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(get_quota, "x|nodes|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(get_quota, "1|nodes|2|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_quota, "watches|3|"), "OK|");
  EXPECT_EQ(zero_.ask(get_quota, "2|watches|"), "3|");
  EXPECT_EQ(zero_.ask(set_quota, "1|watches|1|"), "OK|");
  EXPECT_EQ(zero_.ask(get_quota, "1|watches|"), "1|");
  EXPECT_EQ(zero_.ask(get_quota, "2|watches|"), "3|");
  Peer one(common_, 1);
  EXPECT_EQ(one.ask(watch, "/a|t|"), "OK|");
  EXPECT_EQ(one.ask(watch, "/b|t|"), "OK|") << "Xen's servers let one more be";
  EXPECT_EQ(one.ask(watch, "/c|t|"), "!E2BIG");
  EXPECT_EQ(zero_.ask(set_quota, "1|watches|0|"), "OK|") << "no bound";
  EXPECT_EQ(one.ask(watch, "/c|t|"), "OK|");
  for (const char* payload : {"", "nodes|", "nodes|x|", "nodes|-1|", "nonsense|1|", "1|nonsense|1|", "x|nodes|1|",
                              "1|nodes|x|", "1|nodes|1|1|", "nodes|4294967296|"})
    EXPECT_EQ(zero_.ask(set_quota, payload), "!EINVAL") << payload;
  EXPECT_EQ(zero_.ask(set_quota, "99|nodes|1|"), "!ENOENT");
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
