// What forbids a user a file: the rule as a function, and walks along real paths (those as root only, since other
// users' files have to be made).
#include "security/access.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"

namespace vireo::security {
namespace {

namespace fs = std::filesystem;

const Credentials qemu{.uid = 4321, .gid = 4322, .groups = {4323}, .user = "qemu"};

Verdict judged(uid_t uid, gid_t gid, mode_t mode, int wanted, std::vector<AclEntry> acl = {}) {
  return judge(qemu, {.uid = uid, .gid = gid, .mode = mode, .acl = std::move(acl)}, wanted);
}

TEST(Access, TheFirstClassThatFitsDecides) {
  EXPECT_TRUE(judged(4321, 0, 0600, R_OK | W_OK).allowed);
  EXPECT_FALSE(judged(4321, 4322, 0077, R_OK).allowed) << "the owner's bits, though all others may";
  EXPECT_TRUE(judged(0, 4323, 0040, R_OK).allowed) << "a supplementary group";
  EXPECT_FALSE(judged(0, 4322, 0004, R_OK).allowed) << "the group's bits, though others may";
  EXPECT_TRUE(judged(0, 0, 0004, R_OK).allowed);
  const auto no = judged(0, 0, 0640, R_OK | W_OK);
  EXPECT_EQ(no.rule, "mode");
  EXPECT_EQ(no.why, "its mode 0640 gives others no rw (it belongs to 0:0)");
}

TEST(Access, ProcessesOfRootHaveNoCapabilities) {
  const Credentials root{.uid = 0, .gid = 0, .groups = {}, .user = "root"};
  EXPECT_FALSE(judge(root, {.uid = 5, .gid = 5, .mode = 0700}, R_OK).allowed);
}

std::vector<AclEntry> acl(std::vector<AclEntry> entries, std::uint16_t mask) {
  entries.insert(entries.begin(), {.tag = AclEntry::Owner, .permissions = 7});
  entries.push_back({.tag = AclEntry::OwningGroup, .permissions = 4});
  entries.push_back({.tag = AclEntry::Mask, .permissions = mask});
  entries.push_back({.tag = AclEntry::Other, .permissions = 0});
  return entries;
}

TEST(Access, AnEntryOfTheListDecidesBeforeTheGroups) {
  const auto list = acl({{.tag = AclEntry::User, .permissions = 6, .id = 4321}}, 7);
  EXPECT_TRUE(judged(0, 0, 0770, R_OK | W_OK, list).allowed);
  const auto no = judged(0, 0, 0770, X_OK, list);
  EXPECT_EQ(no.rule, "acl");
  EXPECT_EQ(no.why, "the entry user:4321:rw- of its access control list gives no x");
}

TEST(Access, TheMaskCutsWhatAnEntryGives) {
  const auto list = acl({{.tag = AclEntry::User, .permissions = 6, .id = 4321}}, 4);
  EXPECT_TRUE(judged(0, 0, 0740, R_OK, list).allowed);
  EXPECT_EQ(judged(0, 0, 0740, W_OK, list).why,
            "the entry user:4321:rw- of its access control list, cut by mask::r--, gives no w");
}

TEST(Access, OneGroupThatGivesItIsEnoughAndNoneIsNoOther) {
  const auto list = acl({{.tag = AclEntry::Group, .permissions = 2, .id = 4323}}, 7);
  EXPECT_TRUE(judged(0, 4322, 0770, R_OK, list).allowed) << "the owning group's entry";
  EXPECT_TRUE(judged(0, 4322, 0770, W_OK, list).allowed) << "the other group's";
  EXPECT_FALSE(judged(0, 0, 0770, R_OK, list).allowed);
  EXPECT_EQ(judged(0, 0, 0770, R_OK, acl({}, 7)).why, "the entry other::--- of its access control list gives no r");
}

TEST(Access, ListsAreReadAsTheKernelKeepsThem) {
  const unsigned char bytes[] = {2, 0, 0, 0, 1, 0, 6, 0, 0xff, 0xff, 0xff, 0xff, 2, 0, 4, 0, 0xe1, 0x10, 0, 0};
  const auto list = parse_acl(std::as_bytes(std::span(bytes)));
  ASSERT_TRUE(list);
  EXPECT_EQ(*list, (std::vector<AclEntry>{{.tag = AclEntry::Owner, .permissions = 6, .id = 0xffffffff},
                                          {.tag = AclEntry::User, .permissions = 4, .id = 4321}}));
  EXPECT_FALSE(parse_acl(std::as_bytes(std::span(bytes).first(7))));
  EXPECT_FALSE(parse_acl({}));
}

class AccessWalk : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can make other users' files";
    fs::permissions(folder, fs::perms(0755));
  }
  std::string file(const std::string& name, mode_t mode) {
    const auto path = folder + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << "content";
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }
  const tests::Folder made;
  const std::string folder = made.path();
};

TEST_F(AccessWalk, TheFolderInTheWayIsNamed) {
  const auto path = file("a/closed/b/disk", 0666);
  EXPECT_FALSE(find_denial(qemu, {.path = path, .wanted = R_OK}));
  fs::permissions(folder + "/a/closed", fs::perms(0750));
  for (const bool lent : {false, true}) {
    const auto denial = find_denial(qemu, {.path = path, .wanted = R_OK, .lent = lent});
    ASSERT_TRUE(denial);
    EXPECT_EQ(denial->component, folder + "/a/closed");
    EXPECT_EQ(denial->rule, "mode");
    EXPECT_EQ(denial->why, "the folder '" + folder +
                               "/a/closed' does not let user qemu through: its mode 0750 gives others no x (it belongs "
                               "to 0:0)");
  }
}

TEST_F(AccessWalk, LinksAreFollowedToWhatTheyMean) {
  const auto path = file("far/away/disk", 0600);
  fs::create_symlink("far/away", folder + "/near");
  fs::create_symlink(folder + "/near/disk", folder + "/disk");
  const auto denial = find_denial(qemu, {.path = folder + "/disk", .wanted = R_OK});
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->component, path);
  EXPECT_FALSE(find_denial(qemu, {.path = folder + "/disk", .wanted = R_OK, .lent = true}));
  fs::create_symlink("round", folder + "/round");
  EXPECT_EQ(find_denial(qemu, {.path = folder + "/round", .wanted = R_OK})->rule, "error");
}

TEST_F(AccessWalk, WhatIsNotThereIsSaidAndWhatCanBeMadeIsNone) {
  const auto denial = find_denial(qemu, {.path = folder + "/no/disk", .wanted = R_OK});
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->component, folder + "/no");
  EXPECT_EQ(denial->rule, "missing");
  const Question log{.path = folder + "/log", .wanted = W_OK, .may_create = true};
  EXPECT_EQ(find_denial(qemu, log)->component, folder);
  fs::permissions(folder, fs::perms(0777));
  EXPECT_FALSE(find_denial(qemu, log));
}

TEST_F(AccessWalk, AnAccessControlListIsReadOffTheFile) {
  const auto path = file("disk", 0644);
  // user::rw-, user:4321:---, group::r--, mask::r--, other::r--
  const unsigned char bytes[] = {2, 0,    0,    0,    1,    0,    6,  0, 0xff, 0xff, 0xff, 0xff, 2,    0,   0,
                                 0, 0xe1, 0x10, 0,    0,    4,    0,  4, 0,    0xff, 0xff, 0xff, 0xff, 16,  0,
                                 4, 0,    0xff, 0xff, 0xff, 0xff, 32, 0, 4,    0,    0xff, 0xff, 0xff, 0xff};
  if (::setxattr(path.c_str(), "system.posix_acl_access", bytes, sizeof bytes, 0) != 0)
    GTEST_SKIP() << "this file system has no access control lists";
  const auto denial = find_denial(qemu, {.path = path, .wanted = R_OK});
  ASSERT_TRUE(denial);
  EXPECT_EQ(denial->rule, "acl");
  EXPECT_TRUE(denial->why.contains("user:4321:---")) << denial->why;
}

}  // namespace
}  // namespace vireo::security
