// Finding hierarchies in a mount table, groups in folders that stand for the two versions, and groups on the real ones
// of this host, where they can be written.
#include "host/cgroups.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/fault.hpp"
#include "base/test_files.hpp"

namespace vireo::host {
namespace {

namespace fs = std::filesystem;

class CgroupsTest : public testing::Test {
 protected:
  // A hierarchy of folders. They are not the kernel's: files that a limit is written to are made beforehand.
  CgroupMount v1(const std::string& name, std::vector<std::string> controllers) {
    fs::create_directories(folder_ + "/" + name);
    return {.folder = folder_ + "/" + name, .unified = false, .controllers = std::move(controllers)};
  }
  CgroupMount v2() {
    fs::create_directories(folder_ + "/unified");
    return {.folder = folder_ + "/unified", .unified = true, .controllers = {}};
  }
  void file(const std::string& path, const std::string& text = {}) {
    fs::create_directories(fs::path(folder_ + "/" + path).parent_path());
    std::ofstream(folder_ + "/" + path) << text << "\n";
  }
  std::string content(const std::string& path) {
    const auto text = tests::content_of(made_.file(path));
    return text.substr(0, text.find('\n'));
  }

  const tests::Folder made_;
  const std::string folder_ = made_.path();
};

TEST_F(CgroupsTest, MountTables) {
  EXPECT_EQ(cgroup_mounts_in("cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0\nproc /proc proc rw 0 0\n"),
            (std::vector<CgroupMount>{{.folder = "/sys/fs/cgroup", .unified = true, .controllers = {}}}));
  const auto hybrid = cgroup_mounts_in(
      "cgroup /c/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"
      "cgroup /c/memory cgroup rw,memory 0 0\n"
      "cgroup /again/memory cgroup rw,memory 0 0\n"
      "cgroup /c/systemd cgroup rw,name=systemd 0 0\n"
      "cgroup /c/freezer cgroup rw,freezer 0 0\n"
      "cgroup2 /c/unified cgroup2 rw 0 0\n"
      "cgroup2\n");
  EXPECT_EQ(hybrid,
            (std::vector<CgroupMount>{{.folder = "/c/cpu,cpuacct", .unified = false, .controllers = {"cpu", "cpuacct"}},
                                      {.folder = "/c/memory", .unified = false, .controllers = {"memory"}},
                                      {.folder = "/c/unified", .unified = true, .controllers = {}}}));
}

TEST_F(CgroupsTest, AVersion2WithoutUseIsLeftOutBesideVersion1Only) {
  const auto memory = v1("memory", {"memory"}), unified = v2();
  file("unified/cgroup.controllers", "hugetlb misc");
  EXPECT_EQ(without_empty_ones({memory, unified}), (std::vector{memory}));
  EXPECT_EQ(without_empty_ones({unified}), (std::vector{unified}));
  file("unified/cgroup.controllers", "misc io");
  EXPECT_EQ(without_empty_ones({memory, unified}), (std::vector{memory, unified}));
}

TEST_F(CgroupsTest, OneGroupInEveryHierarchyAndNothingAfterwards) {
  HostCgroups groups({v1("cpu", {"cpu"}), v1("memory", {"memory"}), v2()}, "vireo-test");
  auto place = groups.make("guest-1", {});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->folders,
            (std::vector<std::string>{folder_ + "/cpu/vireo-test/guest-1", folder_ + "/memory/vireo-test/guest-1",
                                      folder_ + "/unified/vireo-test/guest-1"}));
  EXPECT_TRUE(place->lost.empty());
  for (const auto& group : place->folders) EXPECT_TRUE(fs::is_directory(group));
  ASSERT_TRUE(groups.make("guest-2", {}));
  ASSERT_TRUE(groups.remove("guest-1"));
  EXPECT_FALSE(fs::exists(folder_ + "/cpu/vireo-test/guest-1"));
  EXPECT_TRUE(fs::exists(folder_ + "/cpu/vireo-test/guest-2"));
  ASSERT_TRUE(groups.remove("guest-2"));
  EXPECT_FALSE(fs::exists(folder_ + "/cpu/vireo-test"));
  EXPECT_TRUE(groups.remove("guest-2"));
}

TEST_F(CgroupsTest, WhatCannotBeMadeIsSaidAndTheRestIsMade) {
  HostCgroups groups({v1("memory", {"memory"}), {.folder = "/proc/self", .unified = false, .controllers = {"cpu"}}},
                     "vireo-test");
  auto place = groups.make("guest-1", {});
  ASSERT_TRUE(place);
  EXPECT_EQ(place->folders.size(), 1u);
  ASSERT_EQ(place->lost.size(), 1u);
  EXPECT_TRUE(place->lost[0].starts_with("cannot make the control group '/proc/self/vireo-test/guest-1': "));
  EXPECT_EQ(HostCgroups({}, "x").make("g", {})->lost,
            (std::vector<std::string>{"no control groups are mounted on this host"}));
}

TEST_F(CgroupsTest, LimitsOfVersion1) {
  for (const auto* name : {"memory.limit_in_bytes", "memory.soft_limit_in_bytes", "memory.memsw.limit_in_bytes"})
    file(std::string("memory/p/g/") + name);
  for (const auto* name : {"cpu.shares", "cpu.cfs_period_us", "cpu.cfs_quota_us"}) file(std::string("cpu/p/g/") + name);
  HostCgroups groups({v1("cpu", {"cpu"}), v1("memory", {"memory"})}, "p");
  model::DomainDef guest;
  guest.memtune = {.hard_limit_kib = 2048, .soft_limit_kib = 1024, .swap_hard_limit_kib = 4096};
  guest.cputune = {.shares = 512, .global_period_us = 20'000, .global_quota_us = 10'000};
  auto made = groups.make("g", guest);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_EQ(content("memory/p/g/memory.limit_in_bytes"), "2097152");
  EXPECT_EQ(content("memory/p/g/memory.soft_limit_in_bytes"), "1048576");
  EXPECT_EQ(content("memory/p/g/memory.memsw.limit_in_bytes"), "4194304");
  EXPECT_EQ(content("cpu/p/g/cpu.shares"), "512");
  EXPECT_EQ(content("cpu/p/g/cpu.cfs_period_us"), "20000");
  EXPECT_EQ(content("cpu/p/g/cpu.cfs_quota_us"), "10000");
}

TEST_F(CgroupsTest, LimitsOfVersion2AndItsControllersHandedDown) {
  for (const auto* level : {"unified/", "unified/p/", "unified/p/g/"}) {
    file(std::string(level) + "cgroup.controllers", "cpuset cpu io memory pids");
    file(std::string(level) + "cgroup.subtree_control", "cpu io");
  }
  for (const auto* name : {"memory.max", "memory.high", "memory.swap.max", "cpu.weight", "cpu.max"})
    file(std::string("unified/p/g/") + name);
  HostCgroups groups({v2()}, "p");
  model::DomainDef guest;
  guest.memtune = {.hard_limit_kib = 2048, .soft_limit_kib = 1024, .swap_hard_limit_kib = 4096};
  guest.cputune = {.shares = 512, .global_period_us = {}, .global_quota_us = -1};
  auto made = groups.make("g", guest);
  ASSERT_TRUE(made) << made.error().message();
  EXPECT_TRUE(content("unified/cgroup.subtree_control").starts_with("+memory"));
  EXPECT_TRUE(content("unified/p/cgroup.subtree_control").starts_with("+memory"));
  EXPECT_EQ(content("unified/p/g/cgroup.subtree_control"), "cpu io");
  EXPECT_EQ(content("unified/p/g/memory.max"), "2097152");
  EXPECT_EQ(content("unified/p/g/memory.high"), "1048576");
  EXPECT_EQ(content("unified/p/g/memory.swap.max"), "2097152");
  EXPECT_EQ(content("unified/p/g/cpu.weight"), "512");
  EXPECT_EQ(content("unified/p/g/cpu.max"), "max 100000");
}

TEST_F(CgroupsTest, EachVcpuInAGroupOfItsOwn) {
  for (const auto* name : {"cpu.cfs_period_us", "cpu.cfs_quota_us", "tasks"})
    for (const auto* vcpu : {"vcpu0/", "vcpu1/"}) file(std::string("cpu/p/g/") + vcpu + name);
  HostCgroups first({v1("cpu", {"cpu"})}, "p");
  const model::CpuTune tune{.period_us = 20'000, .quota_us = 5'000};
  ASSERT_TRUE(first.limit_vcpus("g", {100, 101}, tune));
  EXPECT_EQ(content("cpu/p/g/vcpu0/tasks"), "100");
  EXPECT_EQ(content("cpu/p/g/vcpu1/tasks"), "101");
  EXPECT_EQ(content("cpu/p/g/vcpu1/cpu.cfs_period_us"), "20000");
  EXPECT_EQ(content("cpu/p/g/vcpu1/cpu.cfs_quota_us"), "5000");

  file("unified/p/g/cgroup.controllers", "cpu");
  for (const auto* name : {"cgroup.subtree_control", "vcpu0/cpu.max", "vcpu0/cgroup.type", "vcpu0/cgroup.threads"})
    file(std::string("unified/p/g/") + name);
  HostCgroups second({v2()}, "p");
  ASSERT_TRUE(second.limit_vcpus("g", {100}, tune));
  EXPECT_EQ(content("unified/p/g/vcpu0/cgroup.type"), "threaded");
  EXPECT_EQ(content("unified/p/g/vcpu0/cgroup.threads"), "100");
  EXPECT_EQ(content("unified/p/g/vcpu0/cpu.max"), "5000 20000");
}

TEST_F(CgroupsTest, ALimitThatCannotBeKeptIsRefusedAndLeavesNothing) {
  HostCgroups groups({v2()}, "p");
  model::DomainDef guest;
  guest.memtune.hard_limit_kib = 1024;
  auto made = groups.make("g", guest);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().message(), "unsupported configuration: Memory cgroup is not available on this host");
  guest.memtune = {};
  guest.cputune.shares = 100;
  EXPECT_EQ(groups.make("g", guest).error().message(),
            "unsupported configuration: CPU tuning is not available on this host");
  EXPECT_FALSE(fs::exists(folder_ + "/unified/p"));

  HostCgroups with_memory({v1("memory", {"memory"})}, "p");
  guest.cputune = {};
  guest.memtune = {.hard_limit_kib = 4096, .soft_limit_kib = {}, .swap_hard_limit_kib = 1024};
  EXPECT_EQ(with_memory.make("g", guest).error().code, VIR_ERR_INVALID_ARG);
  EXPECT_FALSE(fs::exists(folder_ + "/memory/p"));
}

TEST_F(CgroupsTest, AFaultLeavesNothingOnItsWay) {
  model::DomainDef guest;
  guest.memtune.hard_limit_kib = 1024;
  HostCgroups groups({v1("memory", {"memory"}), v2()}, "p");
  const fault::Armed armed({.name = "cgroup.limits"});
  EXPECT_FALSE(groups.make("g", guest));
  EXPECT_TRUE(armed.hit());
  EXPECT_FALSE(fs::exists(folder_ + "/memory/p"));
  EXPECT_FALSE(fs::exists(folder_ + "/unified/p"));
}

TEST_F(CgroupsTest, SweepTakesWhatHoldsNobody) {
  file("memory/p/guest-1/cgroup.procs", "1");  // not empty, as the kernel's is not while a process is in it
  fs::create_directories(folder_ + "/memory/p/guest-2");
  fs::create_directories(folder_ + "/unified/p/guest-2");
  fs::create_directories(folder_ + "/unified/p/guest-2/vcpu0");
  HostCgroups groups({v1("memory", {"memory"}), v2()}, "p");
  groups.sweep();
  EXPECT_TRUE(fs::exists(folder_ + "/memory/p/guest-1"));
  EXPECT_FALSE(fs::exists(folder_ + "/memory/p/guest-2"));
  EXPECT_FALSE(fs::exists(folder_ + "/unified/p"));
}

// The kernel's own, of whichever version this host has.
TEST_F(CgroupsTest, OnThisHost) {
  const auto mounts = cgroup_mounts_in(tests::content_of("/proc/self/mounts"));
  HostCgroups groups(mounts, "vireo-test-" + std::to_string(::getpid()));
  auto place = groups.make("guest-1", {});
  ASSERT_TRUE(place);
  EXPECT_GE(place->folders.size() + place->lost.size(), 1u);
  if (place->folders.empty()) GTEST_SKIP() << "none can be written here";
  const auto child = ::fork();
  if (child == 0) {
    for (const auto& group : place->folders) std::ofstream(group + "/cgroup.procs") << "0" << std::flush;
    ::pause();
  }
  for (const auto& group : place->folders) {
    const auto in_group = [&] {
      std::ifstream procs(group + "/cgroup.procs");
      pid_t pid = 0;
      return (procs >> pid) && pid == child;
    };
    for (int i = 0; i < 500 && !in_group(); ++i) ::usleep(10'000);
    EXPECT_TRUE(in_group()) << group;
  }
  groups.sweep();
  for (const auto& group : place->folders) EXPECT_TRUE(fs::exists(group)) << group;
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(groups.remove("guest-1"));
  for (const auto& group : place->folders) EXPECT_FALSE(fs::exists(fs::path(group).parent_path()));
}

}  // namespace
}  // namespace vireo::host
