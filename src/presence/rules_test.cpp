// What clients may do around a running guest, as a table.
#include "presence/rules.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace vireo::presence {
namespace {

using enum tree::Change::Kind;

int seven_runs(std::string_view path, tree::Change::Kind kind = written, std::string_view value = {}) {
  static const Running running{.ids = {7}, .uuids = {Uuid::parse("4f1c0f5e-7a31-4c0a-9d51-000000000007").value()}};
  return refusal(tree::Path::parse(path).value(), kind, value, running);
}

TEST(Rules, AGuestsOwnPartIsKept) {
  for (const auto kind : {written, permissions, removed})
    for (const auto* path :
         {"/local/domain/7", "/local/domain/7/name", "/local/domain/7/new", "/local/domain/7/control",
          "/local/domain/7/device/vbd/51712/state", "/local/domain/0/backend/vif/7",
          "/local/domain/0/backend/vif/7/0/state", "/local/domain/0/backend/vbd/7/x",
          "/vm/4f1c0f5e-7a31-4c0a-9d51-000000000007", "/vm/4f1c0f5e-7a31-4c0a-9d51-000000000007/name",
          "/local/domain/7/database", "/local/domain/7/control/shutdown/x"})
      EXPECT_EQ(seven_runs(path, kind), EROFS) << path;
}

TEST(Rules, SomeOfItIsFree) {
  for (const auto* path : {"/local/domain/7/data/x/y", "/local/domain/7/attr/vif/0/name", "/local/domain/7/error/a",
                           "/local/domain/7/drivers/0", "/local/domain/7/feature/hotplug/vbd"})
    for (const auto kind : {written, permissions, removed}) EXPECT_EQ(seven_runs(path, kind), 0) << path;
  EXPECT_EQ(seven_runs("/local/domain/7/error", written, "no disk"), 0);
  EXPECT_EQ(seven_runs("/local/domain/7/data", removed), EROFS);
  EXPECT_EQ(seven_runs("/local/domain/7/data", permissions), EROFS);
}

TEST(Rules, Requests) {
  const std::string_view path = "/local/domain/7/control/shutdown";
  for (const auto* word : {"poweroff", "halt", "reboot", ""}) EXPECT_EQ(seven_runs(path, written, word), 0) << word;
  for (const auto* word : {"suspend", "crash", "Poweroff", "poweroff ", "1"})
    EXPECT_EQ(seven_runs(path, written, word), EINVAL) << word;
  EXPECT_EQ(seven_runs(path, removed), EROFS);
  EXPECT_EQ(seven_runs(path, permissions), EROFS);
  EXPECT_EQ(request_of("halt"), Request::shutdown);
  EXPECT_EQ(request_of("reboot"), Request::reboot);
}

TEST(Rules, WhatHoldsGuestsIsNotRemoved) {
  for (const auto* path : {"/local", "/local/domain", "/local/domain/0", "/local/domain/0/backend",
                           "/local/domain/0/backend/vif", "/vm"}) {
    EXPECT_EQ(seven_runs(path, removed), EROFS) << path;
    EXPECT_EQ(seven_runs(path, written), 0) << path;
    EXPECT_EQ(seven_runs(path, permissions), 0) << path;
  }
  for (const auto* path : {"/local", "/vm", "/local/domain/7", "/vm/4f1c0f5e-7a31-4c0a-9d51-000000000007"})
    EXPECT_EQ(refusal(tree::Path::parse(path).value(), removed, {}, {}), 0) << path;
}

TEST(Rules, TheRestIsNotTheGuests) {
  for (const auto* path : {"/", "/tool", "/local/domain/8/name", "/local/domain/0/name",
                           "/local/domain/0/backend/vif/8", "/vm/4f1c0f5e-7a31-4c0a-9d51-000000000008",
                           "/vm/4F1C0F5E-7a31-4c0a-9d51-000000000007", "/vm/4f1c0f5e7a314c0a9d51000000000007"})
    for (const auto kind : {written, permissions, removed}) EXPECT_EQ(seven_runs(path, kind), 0) << path;
}

}  // namespace
}  // namespace vireo::presence
