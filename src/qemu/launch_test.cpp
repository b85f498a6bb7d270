// Real QEMU processes, started, watched, ended, let go of and taken over; and starts that fail, which must leave
// nothing. A guest here has no disk and stays at its firmware.
#include "qemu/launch.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>

#include "qemu/adopt.hpp"
#include "qemu/monitor_socket.hpp"
#include "qemu/spawn.hpp"
#include "qemu/test_support.hpp"
#include "qmp/commands.hpp"

namespace vireo::qemu {
namespace {

using namespace std::chrono_literals;
using Kind = ports::GuestEvent::Kind;

constexpr const char* kQemu = "/usr/bin/qemu-system-x86_64";
constexpr const char* kBootId = "test-boot";

class LaunchTest : public testing::Test {
 protected:
  LaunchPlan plan(std::vector<std::string> more = {}) {
    LaunchPlan p;
    p.monitor_path = folder_.file("monitor.sock");
    p.pid_file = folder_.file("qemu.pid");
    p.log_path = folder_.file("guest.log");
    p.about = "test";
    p.boot_id = kBootId;
    p.home = folder_.file("home");
    p.environment = {"LC_ALL=C", "HOME=" + p.home};
    p.argv = [more](int monitor_fd, const std::vector<int>&) {
      std::vector<std::string> argv{kQemu,
                                    "-S",
                                    "-no-user-config",
                                    "-nodefaults",
                                    "-display",
                                    "none",
                                    "-machine",
                                    "pc,accel=tcg",
                                    "-m",
                                    "16",
                                    "-no-shutdown",
                                    "-chardev",
                                    "socket,id=mon,server=on,wait=off,fd=" + std::to_string(monitor_fd),
                                    "-mon",
                                    "chardev=mon,mode=control"};
      argv.insert(argv.end(), more.begin(), more.end());
      return argv;
    };
    return p;
  }
  LaunchPlan script_plan(const std::string& text) {
    auto p = plan();
    write_script(folder_.file("emulator"), text);
    p.argv = [path = folder_.file("emulator")](int, const std::vector<int>&) { return std::vector<std::string>{path}; };
    return p;
  }
  Result<GuestStatePtr> launch(LaunchPlan p, std::chrono::milliseconds span = 20s) {
    return test::run(core_, launch_process(workers_, std::move(p), {}, Deadline::in(span)));
  }
  static void write_script(const std::string& path, const std::string& text) { test::write_script(path, text); }
  ports::GuestEventSink sink() {
    return [this](ports::GuestEvent event) { events_.push_back(std::move(event)); };
  }
  bool wait_for(Kind kind) {
    return test::run_until(core_, 20s, [&] {
      return std::any_of(events_.begin(), events_.end(), [&](const auto& e) { return e.kind == kind; });
    });
  }
  void expect_nothing_left(const LaunchPlan& p) {
    EXPECT_FALSE(std::filesystem::exists(p.monitor_path));
    EXPECT_FALSE(std::filesystem::exists(p.pid_file));
    EXPECT_FALSE(std::filesystem::exists(p.home));
  }

  test::Folder folder_;
  asio::io_context core_;
  Workers workers_{"spawn", 2};
  std::vector<ports::GuestEvent> events_;
};

TEST_F(LaunchTest, LifeOfAGuest) {
  auto launched = launch(plan({"-chardev", "pty,id=charserial0", "-serial", "chardev:charserial0"}));
  ASSERT_TRUE(launched) << launched.error().detail;
  const auto& state = *launched;
  state->deliver_to(sink());
  struct stat socket{};
  ASSERT_EQ(::stat(folder_.file("monitor.sock").c_str(), &socket), 0);
  EXPECT_EQ(socket.st_mode & 0777, 0600u);
  EXPECT_EQ(test::content_of(folder_.file("qemu.pid")), std::to_string(state->identity().pid) + "\n");

  auto terminals = test::run(core_, qmp::query_terminals(state->monitor(), Deadline::in(20s)));
  ASSERT_TRUE(terminals);
  EXPECT_TRUE((*terminals)["charserial0"].starts_with("/dev/pts/"));

  QemuGuest guest(state);
  EXPECT_EQ(read_process_stat(guest.process().pid)->start_time_ticks, guest.process().start_time_ticks);
  EXPECT_EQ(*test::run(core_, guest.query_vcpus(Deadline::in(20s))), ports::Vcpus::NeverRan);
  ASSERT_TRUE(test::run(core_, guest.resume(Deadline::in(20s))));
  EXPECT_TRUE(wait_for(Kind::Resumed));
  EXPECT_EQ(*test::run(core_, guest.query_vcpus(Deadline::in(20s))), ports::Vcpus::Run);
  ASSERT_TRUE(test::run(core_, guest.pause(Deadline::in(20s))));
  EXPECT_TRUE(wait_for(Kind::Stopped));
  ASSERT_TRUE(test::run(core_, guest.resume(Deadline::in(20s))));
  ASSERT_TRUE(test::run(core_, guest.reset(Deadline::in(20s))));
  ASSERT_TRUE(wait_for(Kind::Reset));
  // The first: a firmware that is reset on its way up resets once more by itself, soon after.
  EXPECT_FALSE(std::ranges::find(events_, Kind::Reset, &ports::GuestEvent::kind)->by_guest);
  EXPECT_TRUE(test::run(core_, guest.press_power_button(Deadline::in(20s))));

  auto raw =
      test::run(core_, guest.monitor_command(R"({"execute":"query-status","id":"mine"})", false, Deadline::in(20s)));
  ASSERT_TRUE(raw) << raw.error().detail;
  EXPECT_NE(raw->find(R"("id":"mine")"), std::string::npos) << *raw;
  auto human = test::run(core_, guest.monitor_command("info status", true, Deadline::in(20s)));
  ASSERT_TRUE(human);
  EXPECT_EQ(*human, "VM status: running\r\n");
  EXPECT_FALSE(test::run(core_, guest.monitor_command("{", false, Deadline::in(20s))));

  ASSERT_TRUE(test::run(core_, guest.end(true, Deadline::in(20s))));
  ASSERT_TRUE(wait_for(Kind::Exited));
  EXPECT_EQ(events_.back().kind, Kind::Exited);
  EXPECT_EQ(events_.back().exit_status, 0);
  EXPECT_EQ(events_.back().detail, "");
  auto late = test::run(core_, guest.resume(Deadline::in(20s)));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, VIR_ERR_OPERATION_FAILED);
}

TEST_F(LaunchTest, KilledFromOutsideIsToldOnceAndLast) {
  auto launched = launch(plan());
  ASSERT_TRUE(launched) << launched.error().detail;
  (*launched)->deliver_to(sink());
  QemuGuest guest(*launched);
  ::kill(guest.process().pid, SIGKILL);
  ASSERT_TRUE(wait_for(Kind::Exited));
  test::run_until(core_, 50ms, [] { return false; });
  EXPECT_EQ(std::count_if(events_.begin(), events_.end(), [](const auto& e) { return e.kind == Kind::Exited; }), 1);
  EXPECT_EQ(events_.back().kind, Kind::Exited);
  EXPECT_EQ(events_.back().exit_signal, SIGKILL);
  EXPECT_EQ(events_.back().exit_status, -1);
  EXPECT_FALSE(read_process_stat(guest.process().pid));
}

TEST_F(LaunchTest, AStuckGuestIsEndedAndDoesNotHoldItsCallers) {
  auto launched = launch(plan());
  ASSERT_TRUE(launched) << launched.error().detail;
  QemuGuest guest(*launched);
  ::kill(guest.process().pid, SIGSTOP);
  auto asked = test::run(core_, guest.query_vcpus(Deadline::in(100ms)));
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().code, VIR_ERR_OPERATION_TIMEOUT);
  // A part of this is the gentle half; the rest leaves the kernel time to take the process down.
  EXPECT_TRUE(test::run(core_, guest.end(true, Deadline::in(2s)))) << "killed after a second";
}

TEST_F(LaunchTest, ABadArgumentIsToldInQemusWordsAndLeavesNothing) {
  auto p = plan({"-nonsense"});
  auto launched = launch(p);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, VIR_ERR_INTERNAL_ERROR);
  EXPECT_EQ(launched.error().detail,
            "process exited while connecting to monitor: qemu-system-x86_64: -nonsense: invalid option");
  expect_nothing_left(p);
  EXPECT_NE(test::content_of(p.log_path)
                .find(": starting up test\nLC_ALL=C \\\nHOME=" + p.home + " \\\n/usr/bin/qemu-system-x86_64 \\\n-S"),
            std::string::npos);
}

TEST_F(LaunchTest, AnEmulatorThatNeverAnswersIsKilledAtTheDeadline) {
  auto p = script_plan("echo $$ > " + folder_.file("pid") + "; echo thinking; exec sleep 1000");
  // One that had no time to begin at all: again, with more.
  auto span = 500ms;
  auto launched = launch(p, span);
  while (!launched && span < 30s && launched.error().detail.find("thinking") == std::string::npos) {
    EXPECT_EQ(launched.error().code, VIR_ERR_OPERATION_TIMEOUT) << launched.error().detail;
    launched = launch(p, span *= 3);
  }
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().code, VIR_ERR_OPERATION_TIMEOUT);
  EXPECT_NE(launched.error().detail.find("thinking"), std::string::npos);
  expect_nothing_left(p);
  const auto pid = std::stoi(test::content_of(folder_.file("pid")));
  EXPECT_FALSE(read_process_stat(pid));
}

TEST_F(LaunchTest, AMissingEmulatorIsNamed) {
  auto p = plan();
  p.argv = [](int, const std::vector<int>&) { return std::vector<std::string>{"/nonexistent/qemu"}; };
  auto launched = launch(p);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().message(), "Cannot check QEMU binary /nonexistent/qemu: No such file or directory");
  expect_nothing_left(p);
}

TEST_F(LaunchTest, AProgramThatCannotBeExecutedIsNamed) {
  auto p = plan();
  std::ofstream(folder_.file("emulator")) << "no program";
  std::filesystem::permissions(folder_.file("emulator"), std::filesystem::perms::owner_all);
  p.argv = [path = folder_.file("emulator")](int, const std::vector<int>&) { return std::vector<std::string>{path}; };
  auto launched = launch(p);
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().message(), "cannot execute '" + folder_.file("emulator") + "': Exec format error");
  expect_nothing_left(p);
}

TEST_F(LaunchTest, AnEmulatorThatDiesByASignalIsTold) {
  auto launched = launch(script_plan("kill -SEGV $$"));
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().detail, "process exited while connecting to monitor: ended by signal 11");
}

TEST_F(LaunchTest, TheNewProcessHasNothingOfTheDaemonsButTheSocket) {
  auto p = script_plan("ls -l /proc/self/fd; umask; pwd; grep -E 'SigBlk|SigIgn' /proc/self/status; exit 3");
  ::signal(SIGPIPE, SIG_IGN);
  Fd open_one(::open("/dev/zero", O_RDONLY));
  auto launched = launch(p);
  ::signal(SIGPIPE, SIG_DFL);
  ASSERT_FALSE(launched);
  const auto& text = launched.error().detail;
  EXPECT_EQ(text.find("/dev/zero"), std::string::npos) << text;
  EXPECT_NE(text.find("0 -> /dev/null"), std::string::npos) << text;
  EXPECT_NE(text.find("1 -> " + p.log_path), std::string::npos) << text;
  EXPECT_NE(text.find("2 -> " + p.log_path), std::string::npos) << text;
  EXPECT_NE(text.find("socket:["), std::string::npos) << text;
  EXPECT_NE(text.find("\n0077\n/\n"), std::string::npos) << text;
  EXPECT_NE(text.find("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000"), std::string::npos) << text;
}

TEST_F(LaunchTest, ACancelledLaunchLeavesNothing) {
  auto p = script_plan("echo $$ > " + folder_.file("pid") + "; exec sleep 1000");
  asio::cancellation_signal cancel;
  bool ended = false;
  asio::co_spawn(core_, launch_process(workers_, p, {}, Deadline::in(20s)),
                 asio::bind_cancellation_slot(cancel.slot(), [&](std::exception_ptr, Result<GuestStatePtr> r) {
                   ended = true;
                   EXPECT_FALSE(r && *r);
                 }));
  ASSERT_TRUE(test::run_until(core_, 20s, [&] {
    asio::post(core_, [] {});
    return !test::content_of(folder_.file("pid")).empty();
  }));
  const auto pid = std::stoi(test::content_of(folder_.file("pid")));
  cancel.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(test::run_until(core_, 20s, [&] { return ended; }));
  EXPECT_TRUE(test::run_until(core_, 20s, [&] {
    asio::post(core_, [] {});
    return !read_process_stat(pid) && !std::filesystem::exists(p.monitor_path);
  }));
}

TEST_F(LaunchTest, ALongSocketPathWorks) {
  auto p = plan();
  const auto deep = folder_.path() + "/" + std::string(120, 'd');
  std::filesystem::create_directory(deep);
  p.monitor_path = deep + "/monitor.sock";
  auto launched = launch(p);
  ASSERT_TRUE(launched) << launched.error().detail;
  QemuGuest guest(*launched);
  EXPECT_TRUE(connect_to(p.monitor_path));
  EXPECT_TRUE(test::run(core_, guest.end(false, Deadline::in(20s))));
}

TEST_F(LaunchTest, AGuestLetGoOfLivesAndIsAdopted) {
  auto p = plan();
  auto launched = launch(p);
  ASSERT_TRUE(launched) << launched.error().detail;
  AdoptPlan adopt;
  adopt.process = (*launched)->identity();
  adopt.boot_id = kBootId;
  adopt.monitor_path = p.monitor_path;
  adopt.log_path = p.log_path;
  launched = GuestStatePtr();  // lets go

  auto stranger = adopt;
  stranger.process.start_time_ticks += 1;
  auto refused = test::run(core_, adopt_process(workers_, stranger, Deadline::in(20s)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, VIR_ERR_NO_DOMAIN);
  auto earlier = adopt;
  earlier.process.boot_id = "before";
  EXPECT_EQ(test::run(core_, adopt_process(workers_, earlier, Deadline::in(20s))).error().code, VIR_ERR_NO_DOMAIN);

  for (int round = 0; round < 3; ++round) {
    auto adopted = test::run(core_, adopt_process(workers_, adopt, Deadline::in(20s)));
    ASSERT_TRUE(adopted) << adopted.error().detail;
    EXPECT_TRUE(test::run(core_, qmp::query_status((*adopted)->monitor(), Deadline::in(20s))));
  }

  ::kill(adopt.process.pid, SIGSTOP);
  auto stuck = test::run(core_, adopt_process(workers_, adopt, Deadline::in(200ms)));
  ASSERT_FALSE(stuck);
  EXPECT_NE(stuck.error().code, VIR_ERR_NO_DOMAIN);
  ::kill(adopt.process.pid, SIGCONT);

  auto adopted = test::run(core_, adopt_process(workers_, adopt, Deadline::in(20s)));
  ASSERT_TRUE(adopted) << adopted.error().detail;
  (*adopted)->deliver_to(sink());
  ::kill(adopt.process.pid, SIGKILL);
  EXPECT_TRUE(wait_for(Kind::Exited));
  EXPECT_EQ(test::run(core_, adopt_process(workers_, adopt, Deadline::in(20s))).error().code, VIR_ERR_NO_DOMAIN);
}

TEST_F(LaunchTest, AZombieCountsAsEnded) {
  SpawnRequest request;
  request.argv = {"/bin/true"};
  auto child = spawn(request);
  ASSERT_TRUE(child);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child->pid), &info, WEXITED | WNOWAIT), 0);
  AdoptPlan adopt;
  adopt.process.pid = child->pid;
  adopt.process.start_time_ticks = child->start_time_ticks;
  adopt.process.boot_id = adopt.boot_id = kBootId;
  adopt.monitor_path = folder_.file("monitor.sock");
  auto adopted = test::run(core_, adopt_process(workers_, adopt, Deadline::in(20s)));
  ASSERT_FALSE(adopted);
  EXPECT_EQ(adopted.error().code, VIR_ERR_NO_DOMAIN);
  kill_and_reap(child->pidfd);
}

TEST_F(LaunchTest, SweepEndsWhatWasLeftAndIsContentWithNothing) {
  auto p = plan();
  const SweepPlan what{
      .monitor_path = p.monitor_path, .pid_file = p.pid_file, .home = p.home, .clean_up = {}, .process = {}};
  auto sweep = [&] { return test::run(core_, sweep_process(workers_, what, Deadline::in(20s))); };
  EXPECT_TRUE(sweep());
  for (const bool with_pid_file : {true, false}) {
    auto launched = launch(p);
    ASSERT_TRUE(launched) << launched.error().detail;
    const auto pid = (*launched)->identity().pid;
    launched = GuestStatePtr();
    if (!with_pid_file) std::filesystem::remove(p.pid_file);
    EXPECT_TRUE(sweep());
    EXPECT_FALSE(read_process_stat(pid));
    std::filesystem::remove(p.home);  // goes with the guest's folder
    expect_nothing_left(p);
  }
}

TEST_F(LaunchTest, SweepAsksOverTheMonitorWhoCannotBeTold) {
  auto p = plan();
  auto launched = launch(p);
  ASSERT_TRUE(launched) << launched.error().detail;
  const auto process = (*launched)->identity();
  launched = GuestStatePtr();
  const SweepPlan what{
      .monitor_path = p.monitor_path, .pid_file = p.pid_file, .home = "/another", .clean_up = {}, .process = {}};
  auto done = test::run(core_, sweep_process(workers_, what, Deadline::in(20s)));
  EXPECT_TRUE(done) << done.error().detail;
  auto pidfd = open_pidfd(process.pid);
  ASSERT_TRUE(pidfd);
  siginfo_t info{};
  EXPECT_EQ(::waitid(P_PIDFD, static_cast<id_t>(pidfd->get()), &info, WEXITED), 0);
  EXPECT_EQ(info.si_status, 0);
}

}  // namespace
}  // namespace vireo::qemu
