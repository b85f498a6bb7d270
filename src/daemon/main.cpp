// vireod: the command line, signals, memory, and the life of the one Daemon.
#include <malloc.h>
#include <signal.h>
#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "daemon/background.hpp"
#include "daemon/configuration.hpp"
#include "daemon/daemon.hpp"

namespace {

using namespace vireo;

struct Arguments {
  std::string config_file, root;
  bool foreground = false, check = false, print_config = false;
};

// Lines are written by a thread of their own: a disk that hangs must not hold the core thread. Where it falls far
// behind, the oldest lines are lost.
void set_up_log(const daemon::Paths& paths, const daemon::Config& config, bool foreground) {
  spdlog::sink_ptr sink;
  if (foreground)
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  else
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(paths.log_file());
  constexpr std::size_t waiting_lines = 8192;
  spdlog::init_thread_pool(waiting_lines, 1);
  auto logger = std::make_shared<spdlog::async_logger>("vireod", std::move(sink), spdlog::thread_pool(),
                                                       spdlog::async_overflow_policy::overrun_oldest);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %l %v");
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// Writes what waits to be written, however serving ends.
struct WrittenLog {
  WrittenLog() = default;
  WrittenLog(const WrittenLog&) = delete;
  WrittenLog& operator=(const WrittenLog&) = delete;
  ~WrittenLog() { spdlog::shutdown(); }
};

// The allocator's fast bins put the work of merging free memory off until somebody asks for something large, who then
// does all of it: after 100,000 nodes of the tree were freed little by little, 15 ms at once. See mallopt(3).
void merge_free_memory_at_once() { ::mallopt(M_MXFAST, 0); }

// Lets calls finish, for a while; another signal to end says not to wait.
void finish_calls(daemon::Daemon& running, const sigset_t& ending) {
  constexpr std::chrono::milliseconds look_again{20};
  constexpr timespec at_once{}, last_question{.tv_nsec = 200'000'000};
  const auto deadline = Deadline::in(running.shutdown_timeout());
  bool waited = false;
  while (!running.drain(Deadline::in(look_again).earlier_of(deadline))) {
    waited = true;
    if (const int again = sigtimedwait(&ending, nullptr, &at_once); again > 0)
      return log::warn("signal {} again: not waiting for calls to finish", again);
    if (deadline.passed()) return log::warn("some calls did not finish in time");
  }
  // libvirt's library asks for a guest's new id right after it was started; cut off there, it would report a failure.
  if (waited) sigtimedwait(&ending, nullptr, &last_question);
}

// Serves until SIGTERM or SIGINT; SIGHUP reloads the configuration.
int serve(const daemon::Paths& paths, const daemon::Config& config, bool foreground) {
  merge_free_memory_at_once();
  auto background = foreground ? daemon::Background::none() : daemon::Background::detach();
  const auto give_up = [&](const std::string& why) {
    background.failed(why);
    std::cerr << "vireod: " << why << "\n";
    return 1;
  };
  std::error_code error;
  for (const auto& dir : {paths.run_dir, paths.log_dir}) std::filesystem::create_directories(dir, error);
  auto lock = daemon::lock_pid_file(paths.pid_file());
  if (!lock) return give_up(lock.error().message());
  // Blocked before any thread exists, so that all inherit it and the signals wait for sigwait below.
  sigset_t signals, ending;
  for (auto* set : {&signals, &ending}) {
    sigemptyset(set);
    for (const int s : {SIGTERM, SIGINT}) sigaddset(set, s);
  }
  sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  try {
    set_up_log(paths, config, foreground);
  } catch (const spdlog::spdlog_ex& e) {
    return give_up(e.what());
  }
  const WrittenLog written_log;

  auto running = daemon::Daemon::start(paths, config);
  if (!running) {
    log::error("cannot start: {}", running.error().message());
    return give_up(running.error().message());
  }
  log::info("vireod {} serves (pid {})", VIREO_VERSION, getpid());
  background.ready();

  int received = 0;
  while (sigwait(&signals, &received) == 0 && received == SIGHUP) (*running)->reload();
  log::info("ending on signal {}; guests run on", received);
  finish_calls(**running, ending);
  running->reset();
  std::filesystem::remove(paths.pid_file(), error);
  log::info("ended");
  return 0;
}

int run(const Arguments& args) {
  if (auto armed = fault::arm_from_environment(); !armed) {
    std::cerr << "vireod: " << armed.error().message() << "\n";
    return 1;
  }
  auto paths = args.root.empty() ? daemon::Paths{} : daemon::Paths::below(args.root);
  if (!args.config_file.empty()) {
    paths.config_file = std::filesystem::absolute(args.config_file).string();
    paths.config_required = true;
  }
  auto config = daemon::load_config(paths);
  if (!config) {
    std::cerr << "vireod: " << config.error().message() << "\n";
    return 1;
  }
  if (args.print_config) {
    std::cout << daemon::print_config(*config);
    return 0;
  }
  if (args.check) {
    std::cout << paths.config_file
              << (std::filesystem::exists(paths.config_file) ? ": good\n" : ": absent, defaults apply\n");
    return 0;
  }
  return serve(paths, *config, args.foreground);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments args;
  CLI::App app("vireod: runs this host's QEMU guests and speaks libvirt's protocol");
  app.add_option("--config", args.config_file,
                 "Settings (default: /etc/vireo/vireod.toml, or etc/vireod.toml below the root)");
  app.add_option("--root", args.root, "Keep everything below this folder: run, lib, log, etc");
  app.add_flag("--foreground", args.foreground, "Do not go to the background; log to standard error");
  app.add_flag("--check", args.check, "Check the settings and exit");
  app.add_flag("--print-config", args.print_config, "Print all settings as they are in force, and exit");
  app.set_version_flag("--version", "vireod " VIREO_VERSION);
  CLI11_PARSE(app, argc, argv);
  return run(args);
}
