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

using Command = std::function<Result<void>()>;

// The commands, and what their options say: CLI11 writes into it while it parses.
class CommandLine {
 public:
  explicit CommandLine(CLI::App& app) : app_(app) {
    app.require_subcommand(1);
    app.fallthrough();
    auto* socket = app.add_option("--socket", where_.socket, "vireod's HTTP socket (default: /run/vireo/http-sock)")
                       ->envname("VIREO_SOCKET");
    app.add_option("--root", where_.root, "Talk to the vireod that was started with this --root")->excludes(socket);
    app.set_version_flag("--version", "vireo " VIREO_VERSION);
    app.footer("Guests are defined and changed with virsh and libvirt's other clients. See vireo(1).");
    add_guests();
    add_figures();
    add_tree();
    add_daemon();
  }

  const Command& chosen() const { return chosen_; }

 private:
  CLI::App& add(const char* name, const char* meaning, Command command) {
    auto* added = app_.add_subcommand(name, meaning);
    added->callback([this, command = std::move(command)] { chosen_ = command; });
    return *added;
  }
  void takes_json(CLI::App& command) { command.add_flag("--json", as_json_, "Print JSON, for programs"); }
  void takes_domain(CLI::App& command) {
    command.add_option("domain", domain_, "The guest's name, UUID or id")->required();
  }

  void add_guests() {
    takes_json(add("list", "List all guests", [this] { return cli::list(where_, as_json_); }));
    auto& start = add("start", "Start guests, all at once", [this] { return cli::start(where_, start_, as_json_); });
    takes_json(start);
    auto* which = start.add_option_group("guests")->require_option(1);
    which->add_option("domain", start_.domains, "The guests' names or UUIDs");
    which->add_flag("--all", start_.all, "All that are shut off");
    which->add_option("--match", start_.match, "Those that are shut off and whose names fit a pattern such as 'web-*'");
    start.add_flag("--paused", start_.paused, "Leave their processors stopped");
    start.add_flag("--all-or-nothing", start_.all_or_nothing, "When one does not start, end the others again");
    auto& trace = add("trace", "Show where the time of a guest's last start went",
                      [this] { return cli::trace(where_, domain_, as_json_); });
    auto& access = add("explain-access", "Show which of its files a guest can open, and what forbids it",
                       [this] { return cli::explain_access(where_, domain_, as_json_); });
    for (auto* each : {&trace, &access}) {
      takes_domain(*each);
      takes_json(*each);
    }
  }

  void add_top() {
    auto& command = add("top", "Show what all guests do, live", [this] {
      if (once_) top_.batch = true, top_.times = 1;
      return cli::top_command(where_, top_);
    });
    command.add_option("-d,--delay", top_.delay_s, "Seconds between two looks (default: 2)")
        ->check(CLI::Range(0.1, 3600.0));
    command.add_option("-s,--sort", top_.sort,
                       "The column to sort by: name, state, cpu, time, mem, rss, read, write, "
                       "rx, tx, mon, age or liveness (default: cpu)");
    command.add_option("-m,--match", top_.match, "Only guests whose names fit a pattern such as 'web-*'");
    command.add_flag("-b,--batch", top_.batch, "Print plain text, again and again");
    command.add_option("-n,--times", top_.times, "With --batch: how many times");
    command.add_flag("--once", once_, "Print plain text once, for scripts");
  }

  void add_figures() {
    add_top();
    takes_json(add("boots", "Show how long the guests of the last storm of starts took to be up",
                   [this] { return cli::boots(where_, as_json_); }));
    takes_json(add("phases", "Show how long each phase of a launch takes, over all launches",
                   [this] { return cli::phases(where_, as_json_); }));
    add_history();
    auto& contention = add("contention", "Show where anything waited in the daemon, and for whom",
                           [this] { return cli::contention(where_, contention_, as_json_); });
    takes_json(contention);
    contention.add_flag("--reset", contention_.reset, "Begin the figures anew afterwards");
    contention.add_flag("--watch", contention_.watch, "Show every second what waited in it");
  }

  void add_history() {
    auto& history = add("history", "Show how a guest fared in the last hour or day", [this] {
      history_.domain = domain_;
      return cli::history(where_, history_, as_json_);
    });
    takes_domain(history);
    auto* metric =
        history.add_option("metric", history_.metric, "What to show, as 'cpu'; without it: all, a line each");
    history.add_option("--span", history_.span, "How far back: 1h (the default) or 24h")
        ->check(CLI::IsMember({"1h", "24h"}));
    auto* how = history.add_option_group("form")->require_option(0, 1);
    how->add_flag("--table", history_.as_table, "A line for each value instead of a plot")->needs(metric);
    how->add_flag("--csv", history_.as_csv, "Times in UTC and values, separated by commas")->needs(metric);
    takes_json(*how);
  }

  using TreeCommand = Result<void> (*)(const cli::Where&, const cli::TreeRequest&);
  CLI::App& add_tree_command(CLI::App& tree, const char* name, const char* meaning, TreeCommand command) {
    auto* added = tree.add_subcommand(name, meaning);
    added->callback([this, command] { chosen_ = [this, command] { return command(where_, tree_); }; });
    return *added;
  }

  void add_tree() {
    auto& tree = *app_.add_subcommand("tree", "Show, change and watch the tree of what guests and others tell");
    tree.require_subcommand(0, 1);
    tree.add_option("--tree-socket", tree_.socket, "The tree's socket (default: xenstore-sock beside http-sock)");
    auto* transaction =
        tree.add_option("--transaction", tree_.words,
                        "Operations that are done together or not at all: 'get PATH', 'set PATH VALUE', 'rm PATH'; "
                        "-: a line each from standard input");
    // Called for the subcommands' sake, too, after them.
    tree.callback([this, &tree, transaction] {
      if (!tree.get_subcommands().empty()) return;
      if (transaction->empty()) throw CLI::RequiredError("A subcommand or --transaction");
      chosen_ = [this] { return cli::tree_transaction(where_, tree_); };
    });
    auto& ls = add_tree_command(tree, "ls", "Draw the tree below a path, as it is at one moment", cli::tree_ls);
    ls.add_option("path", tree_.words, "Where to begin (default: /)")->expected(0, 1);
    ls.add_flag("-l,--long", tree_.with_permissions, "With the permissions of each node");
    ls.add_flag("-f,--flat", tree_.flat, "A line 'PATH = \"VALUE\"' for each node, for other programs");
    auto& get = add_tree_command(tree, "get", "Print the values of nodes", cli::tree_get);
    get.add_option("path", tree_.words, "Their paths")->required();
    get.add_flag("--raw", tree_.raw, "The bytes as they are, with nothing between");
    auto& set = add_tree_command(tree, "set", "Give nodes values, all in one transaction", cli::tree_set);
    set.add_option("path value", tree_.words, "Paths and values, in turn; -- before them lets one begin with '-'")
        ->required();
    auto& remove =
        add_tree_command(tree, "rm", "Remove nodes with all below them, all in one transaction", cli::tree_remove);
    remove.add_option("path", tree_.words, "Their paths")->required();
    auto& watch =
        add_tree_command(tree, "watch", "Print what changes at and below paths, as it happens", cli::tree_watch);
    watch.add_option("path", tree_.words, "The paths, or @introduceDomain and @releaseDomain")->required();
    watch.add_option("--depth", tree_.depth, "Only so many levels below (0: the node itself)");
    watch.add_option("--count", tree_.count, "End after so many changes");
    for (auto* each : {&tree, &ls, &get, &watch}) each->add_flag("--json", tree_.as_json, "Print JSON, for programs");
  }

  void add_daemon() {
    takes_json(add("status", "Show what the daemon does: guests, connections, counters",
                   [this] { return cli::status(where_, as_json_); }));
    add("reload", "Have the daemon read its configuration anew", [this] { return cli::reload(where_); });
    add("version", "Show the versions of this command and of the daemon", [this] { return cli::version(where_); });
  }

  CLI::App& app_;
  cli::Where where_;
  std::string domain_;
  bool as_json_ = false;
  cli::StartRequest start_;
  cli::TopOptions top_;
  bool once_ = false;
  cli::ContentionOptions contention_;
  cli::HistoryRequest history_;
  cli::TreeRequest tree_;
  Command chosen_;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Talks to vireod, the daemon that runs this host's guests.", "vireo");
  const CommandLine line(app);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return run(line.chosen());
}
