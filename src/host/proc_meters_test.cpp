// Measuring a process that is at hand: this one, with threads that have the names of vCPUs'.
#include "host/proc_meters.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <thread>

namespace vireo::host {
namespace {

using ports::Look;

// A thread that looks like QEMU's and is busy for a moment, then sleeps until its end.
class Vcpu {
 public:
  Vcpu() : thread_([this] { run(); }) {
    while (!ready_) std::this_thread::yield();
  }
  ~Vcpu() {
    over_ = true;
    over_.notify_all();
    thread_.join();
    // A thread that is joined is seen in /proc for a moment yet.
    while (::access(("/proc/self/task/" + std::to_string(tid_)).c_str(), F_OK) == 0) std::this_thread::yield();
  }

 private:
  void run() {
    ::pthread_setname_np(::pthread_self(), "CPU 0/TCG");
    const auto end = SteadyClock::now() + std::chrono::milliseconds(2);
    while (SteadyClock::now() < end) {
    }
    // What a thread has used is counted when it gives its processor up, at the latest.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    tid_ = ::gettid();
    ready_ = true;
    over_.wait(false);
  }
  std::atomic<bool> ready_{false}, over_{false};
  pid_t tid_ = 0;  // once it is ready
  std::thread thread_;
};

std::shared_ptr<ports::GuestMeter> meter() {
  auto live = std::make_shared<model::DomainDef>();
  live->vcpus_max = 1;
  return ProcMeters().open(::getpid(), live);
}

TEST(ProcMeter, AQuickLookCountsWhatACloseOneDoes) {
  const Vcpu vcpu;
  const auto us = meter();
  for (const auto look : {Look::quick, Look::close, Look::quick}) {
    const auto figures = us->read({}, look);
    EXPECT_GT(figures.cpu_ns, 0u);
    EXPECT_GT(figures.rss_kib, 1000u);
    EXPECT_FALSE(figures.stopped);
    ASSERT_EQ(figures.vcpus.size(), 1u);
    ASSERT_TRUE(figures.vcpus[0]);
    EXPECT_GT(figures.vcpus[0]->run_ns, 0u);
  }
  EXPECT_GE(us->read({}, Look::close).vcpus[0]->processor, 0);
}

TEST(ProcMeter, AQuickLookFindsAThreadThatHasComeAnew) {
  const auto us = meter();
  {
    const Vcpu vcpu;
    ASSERT_TRUE(us->read({}, Look::quick).vcpus.at(0));
  }
  EXPECT_FALSE(us->read({}, Look::quick).vcpus.at(0));
  const Vcpu another;
  EXPECT_TRUE(us->read({}, Look::close).vcpus.at(0));
  EXPECT_TRUE(us->read({}, Look::quick).vcpus.at(0));
}

}  // namespace
}  // namespace vireo::host
