// vireo: the command line, and errors to standard error. Exit status: 0 done, 1 it failed, 2 the command line is wrong.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <functional>

#include "cli/commands.hpp"

namespace {

using namespace vireo;

int run(const std::function<Result<void>()>& command) {
  Result<void> done;
  try {
    done = command();
  } catch (const std::exception& e) {
    // A field that is missing, say: the daemon is of another version.
    done = fail(VIR_ERR_SYSTEM_ERROR, std::string("cannot understand vireod's answer: ") + e.what());
  }
  if (done && std::fflush(stdout) == 0) return 0;
  std::fprintf(stderr, "vireo: %s\n", done ? "cannot write the answer" : done.error().message().c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  cli::Where where;
  std::string domain;
  bool as_json = false;
  cli::ContentionOptions contention_options;
  std::function<Result<void>()> command;

  CLI::App app("Talks to vireod, the daemon that runs this host's guests.", "vireo");
  app.require_subcommand(1);
  app.fallthrough();
  auto* socket = app.add_option("--socket", where.socket, "vireod's HTTP socket (default: /run/vireo/http-sock)")
                     ->envname("VIREO_SOCKET");
  app.add_option("--root", where.root, "Talk to the vireod that was started with this --root")->excludes(socket);
  app.set_version_flag("--version", "vireo " VIREO_VERSION);
  app.footer("Guests are defined and changed with virsh and libvirt's other clients. See vireo(1).");

  auto* list = app.add_subcommand("list", "List all guests");
  auto* status = app.add_subcommand("status", "Show what the daemon does: guests, connections, counters");
  auto* trace = app.add_subcommand("trace", "Show where the time of a guest's last start went");
  auto* contention = app.add_subcommand("contention", "Show where anything waited in the daemon, and for whom");
  contention->add_flag("--json", contention_options.as_json, "Print JSON, for programs");
  contention->add_flag("--reset", contention_options.reset, "Begin the figures anew afterwards");
  contention->add_flag("--watch", contention_options.watch, "Show every second what waited in it");
  contention->callback([&] { command = [&] { return cli::contention(where, contention_options); }; });
  auto* boots = app.add_subcommand("boots", "Show how long the guests of the last storm of starts took to be up");
  auto* phases = app.add_subcommand("phases", "Show how long each phase of a launch takes, over all launches");
  auto* access = app.add_subcommand("explain-access", "Show which of its files a guest can open, and what forbids it");
  auto* reload = app.add_subcommand("reload", "Have the daemon read its configuration anew");
  auto* start = app.add_subcommand("start", "Start guests, all at once");
  cli::StartRequest to_start;
  auto* which = start->add_option_group("guests")->require_option(1);
  which->add_option("domain", to_start.domains, "The guests' names or UUIDs");
  which->add_flag("--all", to_start.all, "All that are shut off");
  which->add_option("--match", to_start.match, "Those that are shut off and whose names fit a pattern such as 'web-*'");
  start->add_flag("--paused", to_start.paused, "Leave their processors stopped");
  start->add_flag("--all-or-nothing", to_start.all_or_nothing, "When one does not start, end the others again");
  auto* version = app.add_subcommand("version", "Show the versions of this command and of the daemon");
  for (auto* each : {trace, access}) each->add_option("domain", domain, "The guest's name, UUID or id")->required();
  for (auto* each : {list, start, status, trace, boots, phases, access})
    each->add_flag("--json", as_json, "Print JSON, for programs");

  list->callback([&] { command = [&] { return cli::list(where, as_json); }; });
  start->callback([&] { command = [&] { return cli::start(where, to_start, as_json); }; });
  status->callback([&] { command = [&] { return cli::status(where, as_json); }; });
  trace->callback([&] { command = [&] { return cli::trace(where, domain, as_json); }; });
  boots->callback([&] { command = [&] { return cli::boots(where, as_json); }; });
  phases->callback([&] { command = [&] { return cli::phases(where, as_json); }; });
  access->callback([&] { command = [&] { return cli::explain_access(where, domain, as_json); }; });
  reload->callback([&] { command = [&] { return cli::reload(where); }; });
  version->callback([&] { command = [&] { return cli::version(where); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return run(command);
}
