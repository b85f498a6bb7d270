// posix_spawn starts vireo-exec; a pipe tells how far it came.
#include "qemu/spawn.hpp"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/fault.hpp"
#include "exec/protocol.hpp"
#include "qemu/process.hpp"

namespace vireo::qemu {

namespace {

std::vector<std::string> helper_words(const SpawnRequest& request, int report_fd, std::string_view born_in) {
  std::vector<std::string> words{request.exec.helper, fmt::format("--report={}", report_fd)};
  const auto limit = [&](const char* name, std::optional<std::uint64_t> bytes) {
    if (!bytes) return;
    words.push_back(*bytes == RLIM_INFINITY ? fmt::format("--{}=unlimited", name)
                                            : fmt::format("--{}={}", name, *bytes));
  };
  for (const int fd : request.kept_fds) words.push_back(fmt::format("--keep={}", fd));
  for (const auto& folder : request.cgroups)
    if (folder != born_in) words.push_back("--cgroup=" + folder);
  limit("memlock", request.memlock_bytes);
  limit("core", request.core_bytes);
  if (request.oom_score) words.push_back(fmt::format("--oom-score={}", *request.oom_score));
  if (request.nice) words.push_back(fmt::format("--nice={}", *request.nice));
  if (request.die_with_daemon) words.push_back(fmt::format("--die-with={}", ::getpid()));
  if (!request.pid_file.empty()) words.push_back("--pid-file=" + request.pid_file);
  if (!request.label.security_model.empty())
    words.push_back(fmt::format("--{}={}", request.label.security_model, request.label.label));
  if (const auto& user = request.exec.user) {
    words.push_back(fmt::format("--uid={}", user->uid));
    words.push_back(fmt::format("--gid={}", user->gid));
    if (!user->groups.empty()) words.push_back(fmt::format("--groups={}", fmt::join(user->groups, ",")));
  }
  words.emplace_back("--");
  words.insert(words.end(), request.argv.begin(), request.argv.end());
  return words;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  for (const auto& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// A copy of the descriptor (or of /dev/null) above the three standard ones, so that moving it there overwrites nothing.
Result<Fd> plan_descriptor(int fd, const Fd& null) {
  Fd copy(::fcntl(fd >= 0 ? fd : null.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno(errno, "cannot duplicate a descriptor");
  return copy;
}

struct Descriptors {
  Fd input, output, error, report_read, report_write;
};

Result<Descriptors> plan_descriptors(const SpawnRequest& request) {
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return fail_errno(errno, "cannot open '/dev/null'");
  auto input = plan_descriptor(request.input_fd, null);
  auto output = plan_descriptor(request.output_fd, null);
  auto error = plan_descriptor(request.error_fd, null);
  for (auto* fd : {&input, &output, &error})
    if (!*fd) return pass_on(*fd);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return fail_errno(errno, "cannot make a pipe");
  Fd report_read(ends[0]), report_write_low(ends[1]);
  auto report_write = plan_descriptor(report_write_low.get(), null);
  if (!report_write) return pass_on(report_write);
  return Descriptors{.input = std::move(*input),
                     .output = std::move(*output),
                     .error = std::move(*error),
                     .report_read = std::move(report_read),
                     .report_write = std::move(*report_write)};
}

// The group of version 2 among those to join: it has no list of threads for everybody.
std::string unified_group_of(const SpawnRequest& request) {
  for (const auto& folder : request.cgroups)
    if (::access((folder + "/tasks").c_str(), F_OK) != 0 && ::access((folder + "/cgroup.procs").c_str(), W_OK) == 0)
      return folder;
  return {};
}

// Between a clone and its exec: system calls only.
[[noreturn]] void become_helper(const char* helper, char** words, char** environment, const Descriptors& fds,
                                std::span<const int> kept_fds) {
  bool ready = ::dup2(fds.input.get(), 0) >= 0 && ::dup2(fds.output.get(), 1) >= 0 && ::dup2(fds.error.get(), 2) >= 0 &&
               ::fcntl(fds.report_write.get(), F_SETFD, 0) >= 0;
  for (const int fd : kept_fds) ready = ready && ::fcntl(fd, F_SETFD, 0) >= 0;
  if (ready) ::execve(helper, words, environment);
  ::_exit(exec::kFailedStatus);
}

// Starts the helper inside a group of version 2. Joining one later would take the kernel's lock of whole processes, for
// which all processors are waited for, some 12 ms each time. Nothing: this kernel, or this folder, knows no such thing.
std::optional<pid_t> start_helper_in(const std::string& group, const SpawnRequest& request, const Descriptors& fds) {
  const Fd folder(::open(group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::access(request.exec.helper.c_str(), X_OK) != 0) return std::nullopt;
  const auto words = helper_words(request, fds.report_write.get(), group);
  auto word_pointers = pointers(words), environment = pointers(request.environment);
  clone_args how{};
  how.flags = CLONE_INTO_CGROUP | CLONE_VFORK;
  how.exit_signal = SIGCHLD;
  how.cgroup = static_cast<std::uint64_t>(folder.get());
  // No handler of the daemon may run in the new process; the helper unblocks them.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const long pid = ::syscall(SYS_clone3, &how, sizeof how);
  if (pid == 0)
    become_helper(request.exec.helper.c_str(), word_pointers.data(), environment.data(), fds, request.kept_fds);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return std::nullopt;
  return static_cast<pid_t>(pid);
}

// The library forks without copying memory and runs nothing of ours before the exec; its result tells of that exec.
Result<pid_t> start_helper(const SpawnRequest& request, const Descriptors& fds) {
  if (const auto group = unified_group_of(request); !group.empty())
    if (const auto pid = start_helper_in(group, request, fds)) return *pid;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, fds.input.get(), 0);
  ::posix_spawn_file_actions_adddup2(&actions, fds.output.get(), 1);
  ::posix_spawn_file_actions_adddup2(&actions, fds.error.get(), 2);
  // Onto itself: stays open.
  ::posix_spawn_file_actions_adddup2(&actions, fds.report_write.get(), fds.report_write.get());
  for (const int fd : request.kept_fds) ::posix_spawn_file_actions_adddup2(&actions, fd, fd);
  const auto words = helper_words(request, fds.report_write.get(), {});
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, request.exec.helper.c_str(), &actions, nullptr, pointers(words).data(),
                                  pointers(request.environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return fail_errno(
        error, "cannot execute '" + request.exec.helper + "', which starts every guest (vireod.toml: exec_helper)");
  return pid;
}

// The last report before the pipe closed: by the program's exec, or by the end of vireo-exec.
std::optional<exec::Report> last_report(const Fd& pipe) {
  std::optional<exec::Report> last;
  exec::Report report{};
  for (;;) {
    const auto count = ::read(pipe.get(), &report, sizeof report);
    if (count < 0 && errno == EINTR) continue;
    if (count != static_cast<ssize_t>(sizeof report)) return last;
    last = report;
  }
}

bool wait_for_end(const Fd& pidfd, int patience_ms) {
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  int count;
  do {
    count = ::poll(&ended, 1, patience_ms);
  } while (count < 0 && errno == EINTR);
  return count == 1;
}

// Somebody has ended it, or it is another program.
std::unexpected<Error> ended_without_a_word(const SpawnRequest& request, const Fd& pidfd) {
  constexpr int kMoment_ms = 1'000;
  if (wait_for_end(pidfd, kMoment_ms))
    if (const auto status = reap(pidfd); status.signal != 0)
      return fail(VIR_ERR_INTERNAL_ERROR,
                  "process exited while it was being started: ended by signal " + std::to_string(status.signal));
  return fail(VIR_ERR_SYSTEM_ERROR,
              "'" + request.exec.helper + "' ended without a word: it is not vireo-exec (vireod.toml: exec_helper)");
}

Result<void> await_program(const SpawnRequest& request, const Fd& pidfd, const Fd& pipe) {
  const auto report = last_report(pipe);
  if (!report) return ended_without_a_word(request, pidfd);
  if (report->step == exec::Step::Ready) return {};
  const auto what = "cannot " + std::string(exec::text_of(report->step));
  const auto& program = request.argv.front();
  return fail_errno(report->error, report->step == exec::Step::Execute ? what + " '" + program + "'"
                                                                       : what + " for '" + program + "'");
}

}  // namespace

std::string ExecOptions::default_helper() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return (self.parent_path().parent_path() / "libexec/vireo-exec").string();
}

Result<Spawned> spawn(const SpawnRequest& request) {
  if (auto fault = fault::at("qemu.spawn"); !fault) return pass_on(fault);
  auto fds = plan_descriptors(request);
  if (!fds) return pass_on(fds);
  auto pid = start_helper(request, *fds);
  if (!pid) return pass_on(pid);
  fds->report_write.reset();

  // Nobody else reaps our child, so its pid is its own until we do: opening the pidfd after the fork races with
  // nothing.
  Spawned spawned{.pid = *pid, .pidfd = {}, .start_time_ticks = 0};
  auto pidfd = open_pidfd(*pid);
  if (!pidfd) {
    ::kill(*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return pass_on(pidfd);
  }
  spawned.pidfd = std::move(*pidfd);
  if (auto runs = await_program(request, spawned.pidfd, fds->report_read); !runs) {
    kill_and_reap(spawned.pidfd);
    return pass_on(runs);
  }
  const auto stat = read_process_stat(*pid);
  auto fault = fault::at("qemu.spawned");
  if (!stat || !fault) {
    kill_and_reap(spawned.pidfd);
    if (!fault) return pass_on(fault);
    return fail(VIR_ERR_SYSTEM_ERROR, "cannot read '/proc/" + std::to_string(*pid) + "/stat': is /proc mounted?");
  }
  spawned.start_time_ticks = stat->start_time_ticks;
  return spawned;
}

void kill_and_reap(const Fd& pidfd) {
  constexpr int kPatience_ms = 10'000;
  if (!pidfd) return;
  send_signal(pidfd, SIGKILL);
  wait_for_end(pidfd, kPatience_ms);
  reap(pidfd);
}

Result<void> check_executable(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) < 0) return fail_errno(errno, "Cannot check QEMU binary " + path);
  int error = 0;
  if (S_ISDIR(info.st_mode))
    error = EISDIR;
  else if (!S_ISREG(info.st_mode))
    error = EACCES;
  else if (::access(path.c_str(), X_OK) != 0)
    error = errno;
  if (error == 0) return {};
  return fail_errno(error, "QEMU binary " + path + " is not executable");
}

}  // namespace vireo::qemu
