// fork and exec. The child may use nothing but system calls: other threads may have held any lock when it was forked.
#include "qemu/spawn.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "qemu/process.hpp"

namespace vireo::qemu {

namespace {

enum class Step : int { Session, Folder, Descriptors, Exec };

const char* name_of(Step step) {
  switch (step) {
    case Step::Session:
      return "start a session";
    case Step::Folder:
      return "change to the root folder";
    case Step::Descriptors:
      return "set up descriptors";
    case Step::Exec:
      return "execute";
  }
  return "start";
}

struct Failure {
  Step step;
  int error;
};

// All that the child needs, laid out before the fork.
struct ChildPlan {
  std::vector<char*> argv, environment;
  int input, output, error, kept, report;
};

[[noreturn]] void report_failure(const ChildPlan& plan, Step step) {
  const Failure failure{.step = step, .error = errno};
  [[maybe_unused]] const auto written = ::write(plan.report, &failure, sizeof failure);
  ::_exit(127);
}

[[noreturn]] void run_child(const ChildPlan& plan) {
  // Ignored signals survive exec, handlers do not exist there: all go back to their default.
  // By system call: the C library keeps two signals to itself, which an ancestor may have left ignored all the same.
  // All zeros is the kernel's structure for "the default action"; the last argument is the size of its signal set.
  const unsigned long standard[4] = {};
  for (int number = 1; number < NSIG; ++number) ::syscall(SYS_rt_sigaction, number, standard, nullptr, 8);
  if (::setsid() < 0) report_failure(plan, Step::Session);
  if (::chdir("/") < 0) report_failure(plan, Step::Folder);
  ::umask(0077);
  if (::dup2(plan.input, 0) < 0 || ::dup2(plan.output, 1) < 0 || ::dup2(plan.error, 2) < 0)
    report_failure(plan, Step::Descriptors);
  // Marked rather than closed: the report pipe must last until exec.
  if (::syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0) report_failure(plan, Step::Descriptors);
  if (plan.kept >= 0 && ::fcntl(plan.kept, F_SETFD, 0) < 0) report_failure(plan, Step::Descriptors);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execve(plan.argv.front(), plan.argv.data(), plan.environment.data());
  report_failure(plan, Step::Exec);
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

// Waits until the child's exec closes the pipe (nothing read) or the child reports.
std::optional<Failure> read_report(const Fd& pipe) {
  Failure failure{};
  ssize_t count;
  do {
    count = ::read(pipe.get(), &failure, sizeof failure);
  } while (count < 0 && errno == EINTR);
  if (count == static_cast<ssize_t>(sizeof failure)) return failure;
  return std::nullopt;
}

}  // namespace

Result<Spawned> spawn(const SpawnRequest& request) {
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
  report_write_low.reset();

  const ChildPlan plan{.argv = pointers(request.argv),
                       .environment = pointers(request.environment),
                       .input = input->get(),
                       .output = output->get(),
                       .error = error->get(),
                       .kept = request.kept_fd,
                       .report = report_write->get()};

  // No handler of this daemon may run in the child before the child has reset them.
  sigset_t all, before;
  ::sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, &before);
  const pid_t pid = ::fork();
  const int fork_error = errno;
  if (pid == 0) run_child(plan);
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (pid < 0) return fail_errno(fork_error, "cannot fork for '" + request.argv.front() + "'");
  report_write->reset();

  // Nobody else reaps our child, so its pid is its own until we do: opening the pidfd after the fork races with
  // nothing.
  Spawned spawned{.pid = pid, .pidfd = {}, .start_time_ticks = 0};
  auto pidfd = open_pidfd(pid);
  if (!pidfd) {
    ::kill(pid, SIGKILL);
    return pass_on(pidfd);
  }
  spawned.pidfd = std::move(*pidfd);
  if (const auto failure = read_report(report_read)) {
    kill_and_reap(spawned.pidfd);
    return fail_errno(failure->error,
                      "cannot " + std::string(name_of(failure->step)) + " '" + request.argv.front() + "'");
  }
  const auto stat = read_process_stat(pid);
  if (!stat) {
    kill_and_reap(spawned.pidfd);
    return fail(VIR_ERR_SYSTEM_ERROR, "cannot read '/proc/" + std::to_string(pid) + "/stat': is /proc mounted?");
  }
  spawned.start_time_ticks = stat->start_time_ticks;
  return spawned;
}

void kill_and_reap(const Fd& pidfd) {
  constexpr int kPatience_ms = 10'000;
  if (!pidfd) return;
  send_signal(pidfd, SIGKILL);
  pollfd ended{.fd = pidfd.get(), .events = POLLIN, .revents = 0};
  while (::poll(&ended, 1, kPatience_ms) < 0 && errno == EINTR) {
  }
  reap(pidfd);
}

Result<void> check_executable(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) < 0) return fail_errno(errno, "Cannot check QEMU binary " + path);
  if (S_ISREG(info.st_mode) && ::access(path.c_str(), X_OK) == 0) return {};
  return fail_errno(S_ISREG(info.st_mode) ? errno : EACCES, "QEMU binary " + path + " is not executable");
}

}  // namespace vireo::qemu
