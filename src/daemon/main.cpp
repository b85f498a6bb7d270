// vireod: the command line, signals, and the life of the one Daemon.
#include <signal.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>

#include "base/log.hpp"
#include "daemon/background.hpp"
#include "daemon/daemon.hpp"

namespace {

using namespace vireo;

struct Arguments {
  std::string config_file, root;
  bool foreground = false, check = false, print_config = false;
};

void set_up_log(const daemon::Paths& paths, const daemon::Config& config, bool foreground) {
  spdlog::sink_ptr sink;
  if (foreground)
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  else
    sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(paths.log_file());
  auto logger = std::make_shared<spdlog::logger>("vireod", std::move(sink));
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %l %v");
  logger->set_level(spdlog::level::from_str(config.log_level));
  logger->flush_on(spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

// Serves until SIGTERM or SIGINT.
int serve(const daemon::Paths& paths, const daemon::Config& config, bool foreground) {
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
  try {
    set_up_log(paths, config, foreground);
  } catch (const spdlog::spdlog_ex& e) {
    return give_up(e.what());
  }
  // Blocked before any thread exists, so that all inherit it and the signals wait for sigwait below.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);

  auto running = daemon::Daemon::start(paths, config);
  if (!running) {
    log::error("cannot start: {}", running.error().message());
    return give_up(running.error().message());
  }
  log::info("vireod {} serves (pid {})", VIREO_VERSION, getpid());
  background.ready();

  int received = 0;
  sigwait(&signals, &received);
  log::info("ending on signal {}; guests run on", received);
  running->reset();
  std::filesystem::remove(paths.pid_file(), error);
  log::info("ended");
  return 0;
}

int run(const Arguments& args) {
  auto paths = args.root.empty() ? daemon::Paths{} : daemon::Paths::below(args.root);
  daemon::Config config;
  // A file that is named must exist; the default one may be absent.
  const bool named = !args.config_file.empty();
  if (named) paths.config_file = args.config_file;
  if (named || std::filesystem::exists(paths.config_file)) {
    auto read = daemon::read_config(paths.config_file);
    if (!read) {
      std::cerr << "vireod: " << read.error().message() << "\n";
      return 1;
    }
    config = std::move(*read);
  }
  if (args.print_config) {
    std::cout << daemon::print_config(config);
    return 0;
  }
  if (args.check) {
    std::cout << paths.config_file
              << (named || std::filesystem::exists(paths.config_file) ? ": good\n" : ": absent, defaults apply\n");
    return 0;
  }
  return serve(paths, config, args.foreground);
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
