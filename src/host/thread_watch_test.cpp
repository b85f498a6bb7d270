// Stuck threads, seen in a made-up /proc.
#include "host/thread_watch.hpp"

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <filesystem>
#include <fstream>

#include "base/test_files.hpp"
#include "host/pressure.hpp"

namespace vireo::host {
namespace {

namespace fs = std::filesystem;

class MadeUpProcess : public ::testing::Test {
 protected:
  MadeUpProcess() { fs::create_directories(root_ + "/proc/7/fd"); }

  void file(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }
  void thread(int tid, const std::string& name, char state, std::uint64_t turns = 1) const {
    const auto folder = "/proc/7/task/" + std::to_string(tid) + "/";
    std::string stat = std::to_string(tid) + " (" + name + ") " + state;
    for (int field = 4; field < 53; ++field) stat += " " + std::to_string(field);
    file(folder + "stat", stat);
    file(folder + "schedstat", "100 200 " + std::to_string(turns) + "\n");
  }

  const tests::Folder folder_;
  const std::string root_ = folder_.path();
  const std::string process_ = root_ + "/proc/7";
  const SteadyClock::time_point now_ = SteadyClock::now();
};

TEST_F(MadeUpProcess, AStuckThreadIsToldWithPlaceAndFile) {
  thread(7, "qemu-system-x86", 'S');
  thread(9, "CPU 0/TCG", 'R');
  thread(11, "worker", 'D');
  file("/proc/7/task/11/wchan", "folio_wait_bit_common");
  file("/proc/7/task/11/syscall", std::to_string(SYS_pread64) + " 0xc 0x7f00 0x1000 0x0 0x0 0x0 0x7fff 0x7f01\n");
  fs::create_symlink("/img/x.qcow2", process_ + "/fd/12");
  ThreadWatch watch(process_, 7);
  const auto seen = watch.look(now_);
  EXPECT_FALSE(seen.stopped);
  EXPECT_EQ(seen.threads.size(), 3u);
  EXPECT_EQ(seen.threads.at(9).name, "CPU 0/TCG");
  EXPECT_EQ(seen.threads.at(9).processor, 39);
  ASSERT_EQ(seen.stuck.size(), 1u);
  EXPECT_EQ(seen.stuck[0].tid, 11);
  EXPECT_EQ(seen.stuck[0].name, "worker");
  EXPECT_EQ(seen.stuck[0].where, "folio_wait_bit_common");
  EXPECT_EQ(seen.stuck[0].file, "/img/x.qcow2");
}

TEST_F(MadeUpProcess, ASleepLastsAsLongAsTheThreadGetsNoTurn) {
  thread(7, "qemu-system-x86", 'D');
  ThreadWatch watch(process_, 7);
  const auto later = [this](int s) { return now_ + std::chrono::seconds(s); };
  EXPECT_EQ(watch.look(now_).stuck.at(0).since, now_);
  EXPECT_EQ(watch.look(later(5)).stuck.at(0).since, now_);
  thread(7, "qemu-system-x86", 'D', 2);  // it ran meanwhile and sleeps again
  EXPECT_EQ(watch.look(later(10)).stuck.at(0).since, later(10));
  thread(7, "qemu-system-x86", 'S', 2);
  EXPECT_TRUE(watch.look(later(15)).stuck.empty());
  thread(7, "qemu-system-x86", 'D', 2);
  EXPECT_EQ(watch.look(later(20)).stuck.at(0).since, later(20)) << "what was seen awake does not sleep on";
}

TEST_F(MadeUpProcess, WhatWaitsForAFileSystemInUserSpaceIsStuckToo) {
  thread(7, "qemu-system-x86", 'S');
  thread(11, "worker", 'S');
  file("/proc/7/task/11/wchan", "request_wait_answer");
  thread(12, "worker", 'S');
  file("/proc/7/task/12/wchan", "futex_wait_queue");
  ThreadWatch watch(process_, 7);
  const auto seen = watch.look(now_);
  ASSERT_EQ(seen.stuck.size(), 1u);
  EXPECT_EQ(seen.stuck[0].tid, 11);
  EXPECT_EQ(seen.stuck[0].file, "");
}

TEST_F(MadeUpProcess, WhereTheKernelTellsNoChannelItsStackIsAsked) {
  thread(7, "qemu-system-x86", 'D');
  file("/proc/7/task/7/wchan", "0");
  file("/proc/7/task/7/stack", "[<0>] io_schedule+0x12/0x40\n[<0>] folio_wait+0x1/0x2\n");
  EXPECT_EQ(ThreadWatch(process_, 7).look(now_).stuck.at(0).where, "io_schedule");
}

TEST_F(MadeUpProcess, AStoppedProcessIsTold) {
  thread(7, "qemu-system-x86", 'T');
  thread(9, "CPU 0/TCG", 'T');
  EXPECT_TRUE(ThreadWatch(process_, 7).look(now_).stopped);
}

TEST_F(MadeUpProcess, AProcessThatIsGoneHasNoThreads) {
  EXPECT_TRUE(ThreadWatch(root_ + "/proc/8", 8).look(now_).threads.empty());
}

TEST_F(MadeUpProcess, PressureIsThatOfItsOwnGroup) {
  file("/proc/self/mounts", "cgroup2 /sys/cg cgroup2 rw 0 0\n");
  file("/proc/self/cgroup", "0::/system.slice\n");
  file("/proc/7/cgroup", "4:memory:/other\n0::/vireo/web-1\n");
  file("/sys/cg/vireo/web-1/cpu.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=42\nfull avg10=0 total=7\n");
  file("/sys/cg/vireo/web-1/io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=43\n");
  const auto group = group_folder(7, root_);
  EXPECT_EQ(group, root_ + "/sys/cg/vireo/web-1");
  model::HostFigures figures;
  read_pressure(group, figures);
  EXPECT_EQ(figures.cpu_stall_us, 42u);
  EXPECT_FALSE(figures.memory_stall_us) << "this kernel does not tell";
  EXPECT_EQ(figures.io_stall_us, 43u);
  file("/proc/7/cgroup", "0::/system.slice\n");
  EXPECT_EQ(group_folder(7, root_), "") << "not the guest's alone";
  file("/proc/7/cgroup", "0::/\n");
  EXPECT_EQ(group_folder(7, root_), "") << "the host's";
}

TEST(CallsInProc, AreAboutADescriptorWhereTheFirstArgumentIsOne) {
  EXPECT_EQ(descriptor_in_call(std::to_string(SYS_fdatasync) + " 0x1f 0x0 0x0"), 31);
  EXPECT_FALSE(descriptor_in_call(std::to_string(SYS_futex) + " 0x1f 0x0 0x0"));
  EXPECT_FALSE(descriptor_in_call("running\n"));
  EXPECT_FALSE(descriptor_in_call("-1 0x7ffc 0x7f00"));
  EXPECT_FALSE(descriptor_in_call(std::to_string(SYS_read) + " 0xffffffffffffffff 0x0"));
  EXPECT_FALSE(descriptor_in_call(""));
}

}  // namespace
}  // namespace vireo::host
