// Paths, the table of routes and the words of states, without a socket.
#include "doors/http/routes.hpp"

#include <gtest/gtest.h>
#include <libvirt/libvirt.h>

#include "doors/http/state_words.hpp"
#include "doors/http/target.hpp"

namespace vireo::doors::http {
namespace {

using Parts = std::vector<std::string>;

TEST(Target, IsSplitAndDecoded) {
  EXPECT_EQ(parse_target("/").value(), Parts{""});
  EXPECT_EQ(parse_target("/v1/domains").value(), (Parts{"v1", "domains"}));
  EXPECT_EQ(parse_target("/v1/my%20guest/").value(), (Parts{"v1", "my guest", ""}));
  EXPECT_EQ(parse_target("/a%2Fb/%c3%A4").value(), (Parts{"a/b", "ä"}));
}

TEST(Target, WhatIsWrongIsRefused) {
  for (const std::string_view bad : {"", "v1", "http://host/v1", "*", "/%", "/%4", "/%4g", "/%g4", "/a%00", "/a%0a",
                                     "/%7f", "/v1?", "/v1?state=running"}) {
    const auto parsed = parse_target(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, VIR_ERR_INVALID_ARG);
    EXPECT_FALSE(parsed.error().detail.empty());
  }
}

std::expected<const Route*, Response> find(const std::string& method, const std::string& target, Request& request) {
  request = {.method = method, .path = parse_target(target).value()};
  return find_route(routes(), request);
}

TEST(Routes, ArgumentsAreWhatStandsInBraces) {
  Request request;
  const auto route = find("GET", "/v1/domains/web%2f1/trace", request);
  ASSERT_TRUE(route);
  EXPECT_EQ((*route)->pattern, "/v1/domains/{domain}/trace");
  EXPECT_EQ(request.arguments, Parts{"web/1"});
  EXPECT_TRUE(find("GET", "/v1/domains", request));
  EXPECT_TRUE(std::holds_alternative<Change>((*find("POST", "/v1/reload", request))->handler));
}

TEST(Routes, UnknownPathsAreNotFound) {
  Request request;
  for (const char* path : {"/", "/v1", "/v1/", "/v1/domain", "/v1/domains/", "/v1/domains//trace", "/v1/domains/a/b",
                           "/v1/domains/a/trace/", "/v2/domains"}) {
    const auto route = find("GET", path, request);
    ASSERT_FALSE(route) << path;
    EXPECT_EQ(route.error().status, 404) << path;
  }
}

TEST(Routes, EverybodyMayReadMetricsAndNothingElse) {
  for (const auto& route : public_routes()) {
    EXPECT_EQ(route.method, "GET");
    EXPECT_TRUE(route.pattern == "/" || route.pattern == "/metrics") << route.pattern;
    EXPECT_FALSE(std::holds_alternative<Change>(route.handler));
  }
}

TEST(Routes, OtherMethodsLearnWhichThereAre) {
  Request request;
  const auto route = find("POST", "/v1/domains/a", request);
  ASSERT_FALSE(route);
  EXPECT_EQ(route.error().status, 405);
  EXPECT_EQ(route.error().allow, "GET");
  EXPECT_EQ(find("GET", "/v1/reload", request).error().allow, "POST");
}

TEST(Refusals, HaveNameOrNumberAndTheWholeSentence) {
  const auto known = refusal(Error{.code = VIR_ERR_NO_DOMAIN, .detail = "no domain"});
  EXPECT_EQ(known.status, 404);
  EXPECT_EQ(known.body, (json::object{{"error", {{"code", "no_domain"}, {"message", "Domain not found: no domain"}}}}));
  const auto other = refusal(Error{.code = VIR_ERR_NO_MEMORY, .detail = "x"});
  EXPECT_EQ(other.status, 500);
  EXPECT_EQ(other.body.at("error").at("code"), json::value(int{VIR_ERR_NO_MEMORY}));
}

TEST(StateWords, FollowLibvirtsNumbers) {
  EXPECT_EQ(state_word(VIR_DOMAIN_RUNNING), "running");
  EXPECT_EQ(state_word(VIR_DOMAIN_PMSUSPENDED), "pmsuspended");
  EXPECT_EQ(state_word(-1), "unknown");
  EXPECT_EQ(state_word(VIR_DOMAIN_PMSUSPENDED + 1), "unknown");
  EXPECT_EQ(reason_word(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_WAKEUP), "wakeup");
  EXPECT_EQ(reason_word(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_STARTING_UP), "starting_up");
  EXPECT_EQ(reason_word(VIR_DOMAIN_SHUTOFF, VIR_DOMAIN_SHUTOFF_FAILED), "failed");
  EXPECT_EQ(reason_word(VIR_DOMAIN_CRASHED, VIR_DOMAIN_CRASHED_PANICKED), "panicked");
  EXPECT_EQ(reason_word(VIR_DOMAIN_SHUTOFF, 99), "unknown");
}

}  // namespace
}  // namespace vireo::doors::http
