// What vireo-exec takes off and puts on, seen from inside a program that it started; and how failures of its steps are
// told. Some of it needs root, as the daemon itself does; without, those tests say so and end.
#include "qemu/spawn.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <map>
#include <sstream>
#include <thread>

#include "qemu/process.hpp"
#include "qemu/test_support.hpp"

namespace vireo::qemu {
namespace {

class SpawnTest : public testing::Test {
 protected:
  SpawnTest() { std::filesystem::permissions(folder_.path(), std::filesystem::perms(0755)); }

  // Runs a shell command to its end and returns what it printed.
  std::string output_of(const std::string& command, SpawnRequest request = {}) {
    const auto path = folder_.file("output");
    const Fd output(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    request.argv = {"/bin/sh", "-c", command};
    request.environment = {"PATH=/usr/bin:/bin"};
    request.output_fd = request.error_fd = output.get();
    auto child = spawn(request);
    EXPECT_TRUE(child) << child.error().message();
    if (!child) return {};
    siginfo_t info{};
    ::waitid(P_PIDFD, static_cast<id_t>(child->pidfd.get()), &info, WEXITED);
    EXPECT_EQ(info.si_status, 0);
    pid_ = child->pid;
    return test::content_of(path);
  }
  // The fields of /proc/self/status.
  std::map<std::string, std::string> status_of(SpawnRequest request) {
    std::map<std::string, std::string> fields;
    std::istringstream lines(output_of("cat /proc/self/status", std::move(request)));
    for (std::string line; std::getline(lines, line);)
      if (const auto colon = line.find(":\t"); colon != std::string::npos)
        fields[line.substr(0, colon)] = line.substr(colon + 2);
    return fields;
  }
  static Credentials nobody() { return {.uid = 65534, .gid = 65533, .groups = {7, 11, 65533}, .user = "nobody"}; }
  Error error_of(SpawnRequest request) {
    if (request.argv.empty()) request.argv = {"/bin/true"};
    auto child = spawn(request);
    EXPECT_FALSE(child);
    if (!child) return child.error();
    kill_and_reap(child->pidfd);
    return {};
  }

  test::Folder folder_;
  pid_t pid_ = 0;
};

TEST_F(SpawnTest, WithoutAUserItKeepsItsOwnButNoPrivileges) {
  const auto status = status_of({});
  EXPECT_EQ(status.at("Uid").substr(0, status.at("Uid").find('\t')), std::to_string(::getuid()));
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapAmb"}) EXPECT_EQ(status.at(set), "0000000000000000") << set;
  EXPECT_EQ(status.at("NoNewPrivs"), "1");
}

TEST_F(SpawnTest, AnotherUserHasThatUsersGroupsAndNothingOfRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  SpawnRequest request;
  request.exec.user = nobody();
  const auto status = status_of(request);
  EXPECT_EQ(status.at("Uid"), "65534\t65534\t65534\t65534");
  EXPECT_EQ(status.at("Gid"), "65533\t65533\t65533\t65533");
  EXPECT_EQ(status.at("Groups"), "7 11 65533 ");
  for (const auto* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"})
    EXPECT_EQ(status.at(set), "0000000000000000") << set;
  EXPECT_EQ(status.at("NoNewPrivs"), "1");
}

TEST_F(SpawnTest, RootStaysRootWithoutCapabilities) {
  if (::geteuid() != 0) GTEST_SKIP() << "only for root";
  SpawnRequest request;
  request.exec.user = Credentials{.uid = 0, .gid = 0, .groups = {}, .user = "root"};
  const auto status = status_of(request);
  EXPECT_EQ(status.at("Uid"), "0\t0\t0\t0");
  EXPECT_EQ(status.at("Groups"), " ");
  for (const auto* set : {"CapPrm", "CapEff", "CapBnd"}) EXPECT_EQ(status.at(set), "0000000000000000") << set;
}

TEST_F(SpawnTest, LimitsScoresAndPriority) {
  SpawnRequest request;
  request.memlock_bytes = 32 * 1024;
  request.core_bytes = 0;
  request.oom_score = 321;
  request.nice = 7;
  EXPECT_EQ(output_of("ulimit -l; ulimit -c; cat /proc/self/oom_score_adj; nice", request), "32\n0\n321\n7\n");
}

TEST_F(SpawnTest, TheFileOfItsPidIsTheDaemonsNotItsOwn) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can become another user";
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0711));
  SpawnRequest request;
  request.exec.user = nobody();
  request.pid_file = folder_.file("pid");
  EXPECT_EQ(output_of("echo $$", request), std::to_string(pid_) + "\n");
  EXPECT_EQ(test::content_of(folder_.file("pid")), std::to_string(pid_) + "\n");
  struct stat info{};
  ASSERT_EQ(::stat(folder_.file("pid").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0u);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(SpawnTest, NothingIsInheritedButWhatIsMeantToBe) {
  const Fd forgotten(::open("/dev/zero", O_RDONLY));  // without O_CLOEXEC
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const Fd kept(pair[0]), other(pair[1]);
  SpawnRequest request;
  request.kept_fds = {kept.get()};
  ::signal(SIGPIPE, SIG_IGN);
  sigset_t some, before;
  sigemptyset(&some);
  sigaddset(&some, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &some, &before);
  const auto text = output_of("ls -l /proc/$$/fd; grep -E 'SigBlk|SigIgn' /proc/self/status; umask; pwd", request);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(text.find("/dev/zero"), std::string::npos) << text;
  EXPECT_NE(text.find(" 0 -> /dev/null"), std::string::npos) << text;
  EXPECT_NE(text.find(fmt::format(" {} -> socket:[", kept.get())), std::string::npos) << text;
  EXPECT_EQ(text.find("pipe:["), std::string::npos) << text;
  EXPECT_NE(text.find("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n0077\n/\n"), std::string::npos) << text;
}

TEST_F(SpawnTest, ItJoinsItsControlGroups) {
  // A file stands for the kernel's: the process writes itself there.
  for (const auto* name : {"one", "two"}) {
    std::filesystem::create_directory(folder_.file(name));
    std::ofstream(folder_.file(std::string(name) + "/cgroup.procs"));
  }
  SpawnRequest request;
  request.cgroups = {folder_.file("one"), folder_.file("two")};
  output_of("true", request);
  for (const auto* name : {"one", "two"})
    EXPECT_EQ(test::content_of(folder_.file(std::string(name) + "/cgroup.procs")), "0");
}

TEST_F(SpawnTest, InVersion1ItMovesItsOnlyThread) {
  std::filesystem::create_directory(folder_.file("one"));
  for (const auto* name : {"one/tasks", "one/cgroup.procs"}) std::ofstream(folder_.file(name));
  SpawnRequest request;
  request.cgroups = {folder_.file("one")};
  output_of("true", request);
  EXPECT_EQ(test::content_of(folder_.file("one/tasks")), "0");
  EXPECT_EQ(test::content_of(folder_.file("one/cgroup.procs")), "");
}

// A group of the real version 2, where one can be made.
TEST_F(SpawnTest, ItIsBornInAGroupOfVersion2) {
  std::string group;
  for (const std::string mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"})
    if (::access((mount + "/cgroup.procs").c_str(), F_OK) == 0)
      group = mount + fmt::format("/vireo-spawn-{}", ::getpid());
  if (group.empty() || ::mkdir(group.c_str(), 0755) != 0) GTEST_SKIP() << "no control group of version 2 can be made";
  SpawnRequest request;
  request.cgroups = {group};
  const auto text = output_of("cat /proc/self/cgroup; grep -c . /proc/self/environ; readlink /proc/self/fd/0", request);
  EXPECT_NE(text.find(group.substr(group.rfind('/')) + "\n"), std::string::npos) << text;
  EXPECT_NE(text.find("/dev/null"), std::string::npos) << text;
  // It has ended, so its group is empty, which newer kernels notice a moment later.
  int removed = ::rmdir(group.c_str());
  for (int i = 0; i < 1000 && removed != 0 && errno == EBUSY; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    removed = ::rmdir(group.c_str());
  }
  EXPECT_EQ(removed, 0);
}

TEST_F(SpawnTest, ItEndsWithItsParentIfItShall) {
  SpawnRequest request;
  request.argv = {"/bin/sleep", "60"};
  if (::geteuid() == 0) request.exec.user = nobody();  // a change of user must not undo it
  request.die_with_daemon = true;
  Result<Spawned> child;
  std::thread([&] { child = spawn(request); }).join();
  ASSERT_TRUE(child) << child.error().message();
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PIDFD, static_cast<id_t>(child->pidfd.get()), &info, WEXITED), 0);
  EXPECT_EQ(info.si_code, CLD_KILLED);
  EXPECT_EQ(info.si_status, SIGKILL);
}

TEST_F(SpawnTest, EachStepThatFailsIsNamedWithItsReason) {
  SpawnRequest request;
  request.cgroups = {folder_.file("none")};
  EXPECT_EQ(error_of(request).message(), "cannot join the control group for '/bin/true': No such file or directory");
  request.cgroups = {};
  request.pid_file = folder_.file("none/pid");
  EXPECT_EQ(error_of(request).message(), "cannot write the pid file for '/bin/true': No such file or directory");
  request.pid_file.clear();
  if (::access("/sys/module/apparmor", F_OK) != 0 && ::access("/sys/fs/selinux", F_OK) != 0)
    for (const char* security_model : {"apparmor", "selinux"}) {
      request.label = {.security_model = security_model, .label = "some-label"};
      EXPECT_TRUE(error_of(request).message().starts_with("cannot set the security label for '/bin/true': "))
          << error_of(request).message();
    }
  request.label = {};
  request.argv = {"/nowhere/program"};
  EXPECT_EQ(error_of(request).message(), "cannot execute '/nowhere/program': No such file or directory");
  request.argv = {"relative"};
  EXPECT_EQ(error_of(request).message(),
            "cannot understand the arguments of vireo-exec for 'relative': Invalid argument");
  if (::geteuid() != 0) return;
  std::ofstream(folder_.file("mine")) << "#!/bin/sh\n";
  std::filesystem::permissions(folder_.file("mine"), std::filesystem::perms(0700));
  request.argv = {folder_.file("mine")};
  request.exec.user = nobody();
  EXPECT_EQ(error_of(request).message(), "cannot execute '" + folder_.file("mine") + "': Permission denied");
}

TEST_F(SpawnTest, WithoutTheHelperTheOptionIsNamed) {
  SpawnRequest request;
  request.exec.helper = "/nowhere/vireo-exec";
  EXPECT_EQ(error_of(request).message(),
            "cannot execute '/nowhere/vireo-exec', which starts every guest (vireod.toml: exec_helper): No such file "
            "or directory");
  request.exec.helper = "/etc/passwd";
  EXPECT_TRUE(error_of(request).message().ends_with("(vireod.toml: exec_helper): Permission denied"));
  request.exec.helper = "/bin/true";
  EXPECT_EQ(error_of(request).message(),
            "'/bin/true' ended without a word: it is not vireo-exec (vireod.toml: exec_helper)");
  // Killed on the way, as by somebody who cleans up.
  request.exec.helper = folder_.file("killed");
  std::ofstream(request.exec.helper) << "#!/bin/sh\nkill -9 $$\n";
  std::filesystem::permissions(request.exec.helper, std::filesystem::perms(0755));
  EXPECT_EQ(error_of(request).message(),
            "internal error: process exited while it was being started: ended by signal 9");
}

}  // namespace
}  // namespace vireo::qemu
