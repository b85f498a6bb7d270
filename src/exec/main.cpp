// vireo-exec: becomes a guest's QEMU. The daemon starts it with everything that the new process must not have; it takes
// off one thing after the other and executes the program it is given, so the process keeps its pid all the way. It may
// take long or fail in any step without the daemon's threads being part of it, which code between a fork and an exec
// in the daemon itself could not promise. Statically linked, system calls only; started by qemu/spawn.cpp, which says
// in its arguments (exec/options.hpp) what is wanted and reads what went wrong (exec/protocol.hpp).
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstring>

#include "exec/options.hpp"
#include "exec/protocol.hpp"

namespace {

using vireo::exec::Limit;
using vireo::exec::Options;
using vireo::exec::Step;

void report(const Options& options, Step step, int error) {
  const vireo::exec::Report text{.step = step, .error = error};
  [[maybe_unused]] const auto written = ::write(options.report_fd, &text, sizeof text);
}

[[noreturn]] void give_up(const Options& options, Step step, int error) {
  if (options.report_fd >= 0)
    report(options, step, error);
  else
    std::fprintf(stderr, "vireo-exec is started by vireod; by itself it does nothing\n");
  ::_exit(vireo::exec::kFailedStatus);
}

void reset_signals() {
  // Ignored signals survive exec. By system call: the C library keeps two signals to itself, which an ancestor may
  // have left ignored all the same. All zeros is the kernel's structure for "the default action"; the last argument is
  // the size of its signal set.
  const unsigned long standard[4] = {};
  for (int number = 1; number < NSIG; ++number) ::syscall(SYS_rt_sigaction, number, standard, nullptr, 8);
  const unsigned long none = 0;
  ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, 8);
}

// Marked rather than closed: the report pipe must last until exec.
bool set_up_descriptors(const Options& options) {
  if (::syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC) < 0) return false;
  for (int i = 0; i < options.kept_count; ++i)
    if (::fcntl(options.kept_fds[i], F_SETFD, 0) != 0) return false;
  return true;
}

bool write_file(const char* path, int flags, const char* text) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0644);
  if (fd < 0) return false;
  const auto length = static_cast<ssize_t>(std::strlen(text));
  const bool good = ::write(fd, text, static_cast<size_t>(length)) == length;
  const int error = errno;
  ::close(fd);
  errno = error;
  return good;
}

bool write_in_folder(const char* folder, const char* name, const char* text) {
  char path[PATH_MAX];
  if (std::snprintf(path, sizeof path, "%s/%s", folder, name) >= static_cast<int>(sizeof path)) {
    errno = ENAMETOOLONG;
    return false;
  }
  return write_file(path, 0, text);
}

// This process has one thread, so moving the thread (version 1 only) moves the process. It spares the kernel's lock of
// whole processes, for which all processors are waited for, some 12 ms each time.
bool join_cgroup(const char* folder) {
  const char* const whoever_writes = "0";
  return write_in_folder(folder, "tasks", whoever_writes) ||
         (errno == ENOENT && write_in_folder(folder, "cgroup.procs", whoever_writes));
}

bool set_limit(__rlimit_resource resource, const Limit& limit) {
  const rlimit both{.rlim_cur = limit.value, .rlim_max = limit.value};
  return !limit.set || ::setrlimit(resource, &both) == 0;
}

bool set_oom_score(int score) {
  char text[16];
  std::snprintf(text, sizeof text, "%d", score);
  return write_file("/proc/self/oom_score_adj", 0, text);
}

bool write_pid_file(const char* path) {
  char text[16];
  std::snprintf(text, sizeof text, "%d\n", ::getpid());
  return write_file(path, O_CREAT | O_TRUNC, text);
}

// Asks the kernel to change the label at the next exec. The folder's own file first, where several modules share the
// other one.
bool set_apparmor(const char* profile) {
  char text[PATH_MAX];
  if (std::snprintf(text, sizeof text, "exec %s", profile) >= static_cast<int>(sizeof text)) {
    errno = ENAMETOOLONG;
    return false;
  }
  if (write_file("/proc/thread-self/attr/apparmor/exec", 0, text)) return true;
  return errno == ENOENT && write_file("/proc/thread-self/attr/exec", 0, text);
}

__user_cap_header_struct own_header() { return {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0}; }

bool may_empty_bounding_set() {
  auto header = own_header();
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
  return ::syscall(SYS_capget, &header, data) == 0 && (data[0].effective & (1U << CAP_SETPCAP)) != 0;
}

// Who may not empty it has no need to: without new privileges, below, it gives nobody anything.
bool empty_bounding_set() {
  if (!may_empty_bounding_set()) return true;
  constexpr int kMoreThanThereAre = 64;
  for (int capability = 0; capability < kMoreThanThereAre; ++capability)
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return errno == EINVAL;  // the first that does not exist
  return true;
}

bool drop_capabilities() {
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) return false;
  auto header = own_header();
  const __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  return ::syscall(SYS_capset, &header, none) == 0;
}

// While the process may still do everything.
void settle(const Options& options) {
  const auto must = [&](bool done, Step step) {
    if (!done) give_up(options, step, errno);
  };
  reset_signals();
  must(::setsid() >= 0 || errno == EPERM, Step::Session);  // EPERM: it leads one already
  must(::chdir("/") == 0, Step::Folder);
  ::umask(0077);
  must(set_up_descriptors(options), Step::Descriptors);
  for (int i = 0; i < options.cgroup_count; ++i) must(join_cgroup(options.cgroups[i]), Step::Cgroup);
  must(set_limit(RLIMIT_MEMLOCK, options.memlock) && set_limit(RLIMIT_CORE, options.core), Step::Limits);
  if (options.has_oom_score) must(set_oom_score(options.oom_score), Step::OomScore);
  if (options.has_nice) must(::setpriority(PRIO_PROCESS, 0, options.nice) == 0, Step::Priority);
  if (options.pid_file != nullptr) must(write_pid_file(options.pid_file), Step::PidFile);
  if (options.apparmor != nullptr) must(set_apparmor(options.apparmor), Step::SecurityLabel);
  if (options.selinux != nullptr)
    must(write_file("/proc/thread-self/attr/exec", 0, options.selinux), Step::SecurityLabel);
}

// From here on there is no way back.
void renounce(const Options& options) {
  const auto must = [&](bool done, Step step) {
    if (!done) give_up(options, step, errno);
  };
  must(empty_bounding_set(), Step::BoundingSet);
  if (options.has_user) {
    must(::setgroups(static_cast<size_t>(options.group_count), options.groups) == 0, Step::Groups);
    must(::setresgid(options.gid, options.gid, options.gid) == 0, Step::Group);
    must(::setresuid(options.uid, options.uid, options.uid) == 0, Step::User);
  }
  must(drop_capabilities(), Step::Capabilities);
  must(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, Step::NoNewPrivileges);
  // Only now, since a change of user undoes it; a parent that has gone meanwhile sends no signal any more.
  if (options.die_with > 0)
    must(::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && ::getppid() == options.die_with, Step::Tie);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!vireo::exec::parse_options(argc, argv, options)) give_up(options, Step::Arguments, EINVAL);
  settle(options);
  renounce(options);
  report(options, Step::Ready, 0);
  ::execv(options.program[0], options.program);
  give_up(options, Step::Execute, errno);
}
