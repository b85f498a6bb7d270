// The commands, one file each. Each asks vireod once and prints to standard output; what goes wrong comes back, and
// main prints it.
#pragma once

#include "cli/daemon.hpp"

namespace vireo::cli {

// Prints the daemon's answer as it is, for programs.
void print_json(const json::object& answer);

struct ContentionOptions {
  bool reset = false;  // begin the figures anew after showing them
  bool watch = false;  // again every second, until interrupted, each time what waited in between
};
Result<void> contention(const Where& where, const ContentionOptions& options, bool as_json);
Result<void> boots(const Where& where, bool as_json);
Result<void> explain_access(const Where& where, const std::string& domain, bool as_json);
struct HistoryRequest {
  std::string domain, metric;  // without a metric: all, a line for each
  std::string span = "1h";
  bool as_table = false, as_csv = false;  // of one metric; neither: a plot
};
Result<void> history(const Where& where, const HistoryRequest& request, bool as_json);
Result<void> list(const Where& where, bool as_json);
Result<void> phases(const Where& where, bool as_json);
Result<void> reload(const Where& where);
// Which guests to start, and how.
struct StartRequest {
  std::vector<std::string> domains;
  std::string match;
  bool all = false, paused = false, all_or_nothing = false;
};
// Error, after what became of each guest has been printed: when one is not as it was to be.
Result<void> start(const Where& where, const StartRequest& request, bool as_json);
Result<void> status(const Where& where, bool as_json);
struct TopOptions {
  double delay_s = 2;
  std::string sort;   // a column's key; empty: CPU
  std::string match;  // a pattern of names; empty: all
  bool batch = false;
  unsigned times = 0;  // in batches; 0: until interrupted
};
Result<void> top_command(const Where& where, const TopOptions& options);
Result<void> trace(const Where& where, const std::string& domain, bool as_json);
struct TreeRequest {
  std::string socket;              // a path of its own; empty: the one of this vireod
  std::vector<std::string> words;  // paths; of set, paths and values in turn; of a transaction, its operations
  bool as_json = false;
  bool with_permissions = false, flat = false;  // ls
  bool raw = false;                             // get: the bytes as they are
  std::optional<unsigned> depth;                // watch: levels below its path
  unsigned count = 0;                           // watch: changes to wait for; 0: until interrupted
};
Result<void> tree_ls(const Where& where, const TreeRequest& request);
Result<void> tree_get(const Where& where, const TreeRequest& request);
Result<void> tree_set(const Where& where, const TreeRequest& request);
Result<void> tree_remove(const Where& where, const TreeRequest& request);
Result<void> tree_transaction(const Where& where, const TreeRequest& request);
Result<void> tree_watch(const Where& where, const TreeRequest& request);
Result<void> version(const Where& where);

}  // namespace vireo::cli
