// The list of options, and what reads and writes it.
#include "daemon/config.hpp"

// The library asserts what a bad file can break ("[;x]"), and goes on to refuse it by line and reason where it may.
#define TOML_ASSERT(condition) static_cast<void>(0)
#include <toml++/toml.h>

#include <fstream>
#include <set>
#include <sstream>

#include "base/tcp_listener.hpp"

namespace vireo::daemon {
namespace {

struct Range {
  int low, high;
};

// Whether a reload takes the option up, or only the next daemon.
enum class Applies { at_once, at_next_start };
using enum Applies;

// Calls option(name, field, meaning, [range,] applies) for every option. tools/gen-man reads this list, too.
template <class ConfigRef, class Option>
void describe(ConfigRef& c, Option&& option) {
  option("libvirt_socket_dir", c.libvirt_socket_dir,
         "Folder of the sockets libvirt-sock and libvirt-sock-ro. Empty: the run folder. With \"/run/libvirt\" virsh\n"
         "and other clients find them without a URI (libvirtd must not run then).",
         at_next_start);
  option("libvirt_socket_group", c.libvirt_socket_group,
         "Group whose members may use libvirt-sock. Empty: only root. libvirt-sock-ro is open to everybody.",
         at_next_start);
  option(
      "metrics_listen", c.metrics_listen,
      "Loopback address and port, such as \"127.0.0.1:9177\" or \"[::1]:9177\", at which Prometheus and every local\n"
      "user can read the metrics, and nothing else. Empty: none. The path /metrics of http-sock is always there.",
      at_next_start);
  option(
      "xenstore", c.xenstore,
      "Whether running guests are shown as a tree, at the socket xenstore-sock of the run folder, to Xen's clients.\n"
      "libvirt_socket_group may use it, too.",
      at_next_start);
  option(
      "tree_journal", c.tree_journal,
      "What of the tree outlives the daemon, but for what belongs to guests, which is there as long as they run.\n"
      "\"behind\": what was changed until a moment before it ends, however it ends. \"sync\": all that was answered,\n"
      "even when the host loses its power; changes wait for the disk. \"off\": nothing.",
      at_next_start);
  option("emulator_dir", c.emulator_dir,
         "Folder of QEMU's binaries (qemu-system-ARCH) for guests whose definition names none.", at_next_start);
  option("qemu_user", c.qemu_user,
         "User as whom QEMU runs, if the daemon is root. With \"root\" QEMU has root's files, but no capabilities.",
         at_next_start);
  option("qemu_group", c.qemu_group, "Group of QEMU's processes. Empty: the user's own.", at_next_start);
  option("security_drivers", c.security_drivers,
         "Security models in force, the first applied first. \"dac\": disk images belong to the guest's user while\n"
         "it uses them. \"apparmor\": each guest has a profile of its own. \"selinux\": each guest has categories of\n"
         "its own. \"none\", alone: nothing is changed. \"auto\", alone: dac if the daemon is root, and apparmor or\n"
         "selinux where the kernel has it. A model that the host does not have keeps the daemon from starting.",
         at_next_start);
  option("cgroup", c.cgroup,
         "\"auto\": every guest gets a control group, where the host lets the daemon make one. \"off\": none does.",
         at_next_start);
  option("cgroup_parent", c.cgroup_parent,
         "Name of the control group around those of the guests. Empty: one that is this daemon's own.", at_next_start);
  option("exec_helper", c.exec_helper,
         "The program vireo-exec, which starts QEMU. Empty: ../libexec/vireo-exec, seen from vireod's folder.",
         at_next_start);
  option("guest_oom_score", c.guest_oom_score,
         "How soon the kernel ends QEMU when memory is short (oom_score_adj); higher is sooner.", Range{-1000, 1000},
         at_next_start);
  option("guest_nice", c.guest_nice, "Scheduling priority of QEMU; higher yields to others.", Range{-20, 19},
         at_next_start);
  option("guest_core_mib", c.guest_core_mib, "Largest core file that a crashing QEMU may leave, in MiB.",
         Range{0, 1'048'576}, at_next_start);
  option("log_level", c.log_level, "How much the daemon logs: debug, info, warn or error.", at_once);
  option("door_threads", c.door_threads, "Threads that answer clients.", Range{1, 64}, at_next_start);
  option("max_clients", c.max_clients,
         "Clients that may be connected to each of the two sockets; more are turned away.", Range{1, 100'000}, at_once);
  option("max_client_calls", c.max_client_calls,
         "Calls of one client that may be under way; the next waits until one is answered.", Range{1, 10'000}, at_once);
  option("max_client_events", c.max_client_events,
         "Events that may wait for one client that does not read; beyond, it is dropped.", Range{1, 10'000'000},
         at_once);
  option("max_client_mib", c.max_client_mib,
         "MiB that may wait for one client that does not read; beyond, it is dropped.", Range{1, 1024}, at_once);
  option("max_clients_mib", c.max_clients_mib,
         "MiB that may wait for and be half-read from all clients together; beyond, those with the most are dropped.",
         Range{8, 65'536}, at_once);
  option("client_timeout_ms", c.client_timeout_ms,
         "How long a client may take to open its connection, to send the rest of a message, and to read what waits\n"
         "for it. After that it is dropped.",
         Range{100, 86'400'000}, at_once);
  option("keepalive_interval_ms", c.keepalive_interval_ms,
         "How long a client may be silent before it is asked whether it is there, if it takes such questions.",
         Range{100, 3'600'000}, at_once);
  option("keepalive_count", c.keepalive_count,
         "Such questions that a client may leave unanswered before it is dropped.", Range{1, 1'000}, at_once);
  option("parallel_starts", c.parallel_starts,
         "Guests that may be launched at one moment. 0: as many as the host bears, at most two for each processor\n"
         "(or 4); fewer while its disks or its memory keep everybody waiting.",
         Range{0, 10'000}, at_once);
  option("autostart_parallel", c.autostart_parallel,
         "Guests that are started at one moment with the host, of those of one order. 0: as parallel_starts allows.",
         Range{0, 10'000}, at_once);
  option("spawn_threads", c.spawn_threads, "Threads that start QEMU processes.", Range{1, 256}, at_next_start);
  option("label_threads", c.label_threads,
         "Threads that label guests' files. A file system that hangs holds one of them for each guest that uses it.",
         Range{1, 1'024}, at_next_start);
  option("vnc_first_port", c.vnc_first_port, "First TCP port for guests' VNC servers.", Range{5900, 65535}, at_once);
  option("vnc_last_port", c.vnc_last_port, "Last TCP port for guests' VNC servers.", Range{5900, 65535}, at_once);
  option("spice_first_port", c.spice_first_port, "First TCP port for guests' SPICE servers.", Range{5900, 65535},
         at_once);
  option("spice_last_port", c.spice_last_port, "Last TCP port for guests' SPICE servers.", Range{5900, 65535}, at_once);
  option("lane_timeout_ms", c.lane_timeout_ms, "How long a change to a guest waits for an earlier one to end.",
         Range{100, 86'400'000}, at_once);
  option("launch_timeout_ms", c.launch_timeout_ms, "How long a guest may take to start.", Range{100, 86'400'000},
         at_once);
  option("monitor_timeout_ms", c.monitor_timeout_ms, "How long QEMU may take to answer a command.",
         Range{100, 86'400'000}, at_once);
  option("end_timeout_ms", c.end_timeout_ms, "How long QEMU may take to end.", Range{100, 86'400'000}, at_once);
  option("shutdown_timeout_ms", c.shutdown_timeout_ms,
         "How long the daemon lets calls finish when it ends. Guests run on in any case.", Range{0, 600'000}, at_once);
  option("stats_deadline_ms", c.stats_deadline_ms,
         "How long a call for statistics waits for guests that do not answer; of those it gives the last known ones.",
         Range{10, 60'000}, at_once);
  option("sample_period_ms", c.sample_period_ms, "How often every running guest is sampled.", Range{500, 600'000},
         at_once);
  option("history", c.history,
         "Whether guests are sampled all the time, and the last day is kept in memory (at most 64 KiB for each).\n"
         "Without it they are sampled while somebody asks for samples.",
         at_once);
}

class Reader {
 public:
  Reader(const toml::table& table, std::string name) : table_(table), name_(std::move(name)) {}

  void operator()(const char* key, std::string& field, const char*, Applies) {
    if (const auto* node = take(key)) {
      if (auto value = node->value_exact<std::string>())
        field = *value;
      else
        complain(*node, std::string(key) + " must be a text in quotes");
    }
  }
  void operator()(const char* key, bool& field, const char*, Applies) {
    if (const auto* node = take(key)) {
      if (auto value = node->value_exact<bool>())
        field = *value;
      else
        complain(*node, std::string(key) + " must be true or false");
    }
  }
  void operator()(const char* key, int& field, const char*, Range range, Applies) {
    if (const auto* node = take(key)) {
      auto value = node->value_exact<int64_t>();
      if (value && *value >= range.low && *value <= range.high)
        field = static_cast<int>(*value);
      else
        complain(*node, std::string(key) + " must be a whole number from " + std::to_string(range.low) + " to " +
                            std::to_string(range.high));
    }
  }

  void operator()(const char* key, std::vector<std::string>& field, const char*, Applies) {
    const auto* node = take(key);
    if (!node) return;
    const auto* list = node->as_array();
    std::vector<std::string> words;
    if (list)
      for (const auto& word : *list)
        if (auto value = word.value_exact<std::string>()) words.push_back(*value);
    if (list && words.size() == list->size())
      field = std::move(words);
    else
      complain(*node, std::string(key) + " must be a list of texts, such as [\"a\", \"b\"]");
  }

  Result<void> finish() {
    for (const auto& [key, node] : table_)
      if (!known_.contains(std::string(key.str())))
        complain(node, "unknown option '" + std::string(key.str()) + "'; vireod --print-config lists all");
    if (problem_.empty()) return {};
    return fail_from(VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX, problem_);
  }
  void complain(const toml::node& at, const std::string& what) {
    if (problem_.empty()) problem_ = name_ + ":" + std::to_string(at.source().begin.line) + ": " + what;
  }

 private:
  const toml::node* take(const char* key) {
    known_.insert(key);
    return table_.get(key);
  }
  const toml::table& table_;
  std::string name_;
  std::set<std::string> known_;
  std::string problem_;
};

// The library's own printing breaks texts that hold both a line's end and quotes.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if (code < ' ' || code == 0x7f)
      out += fmt::format("\\u{:04x}", code);
    else if (c == '"' || c == '\\')
      out += fmt::format("\\{}", c);
    else
      out += c;
  }
  return out + "\"";
}

class Printer {
 public:
  void operator()(const char* key, const std::string& field, const char* meaning, Applies applies) {
    explain(meaning, applies);
    out_ << key << " = " << quoted(field) << "\n";
  }
  void operator()(const char* key, const std::vector<std::string>& field, const char* meaning, Applies applies) {
    explain(meaning, applies);
    std::vector<std::string> words;
    words.reserve(field.size());
    for (const auto& word : field) words.push_back(quoted(word));
    out_ << key << " = [" << fmt::format("{}", fmt::join(words, ", ")) << "]\n";
  }
  void operator()(const char* key, bool field, const char* meaning, Applies applies) {
    explain(meaning, applies);
    out_ << key << " = " << (field ? "true" : "false") << "\n";
  }
  void operator()(const char* key, int field, const char* meaning, Range range, Applies applies) {
    explain(fmt::format("{} {} to {}.", meaning, range.low, range.high), applies);
    out_ << key << " = " << field << "\n";
  }
  std::string text() const { return out_.str(); }

 private:
  void explain(std::string_view meaning, Applies applies) {
    out_ << "\n# ";
    for (const char c : meaning) {
      out_ << c;
      if (c == '\n') out_ << "# ";
    }
    out_ << (applies == at_next_start ? " (Read at start only.)\n" : "\n");
  }
  std::ostringstream out_;
};

// The list as rows, for walking two configurations side by side.
struct Row {
  const char* key;
  std::variant<std::string*, int*, bool*, std::vector<std::string>*> field;
  Applies applies;
};

std::vector<Row> rows_of(Config& config) {
  std::vector<Row> rows;
  describe(config, [&](const char* key, auto& field, const char*, const auto&... rest) {
    rows.push_back({key, &field, std::get<sizeof...(rest) - 1>(std::tie(rest...))});
  });
  return rows;
}

// What is wrong with the list; empty: nothing.
std::string wrong_in_drivers(const std::vector<std::string>& drivers) {
  static const std::set<std::string> known{"auto", "none", "dac", "apparmor", "selinux"};
  std::set<std::string> seen;
  for (const auto& driver : drivers) {
    if (!known.contains(driver))
      return fmt::format("security_drivers: '{}' is no security model; known are dac, apparmor, selinux, none and auto",
                         driver);
    if (!seen.insert(driver).second) return fmt::format("security_drivers: '{}' stands there twice", driver);
  }
  if (seen.empty()) return "security_drivers: name a model, or \"none\"";
  if (seen.size() > 1 && (seen.contains("auto") || seen.contains("none")))
    return "security_drivers: auto and none stand alone";
  if (seen.contains("apparmor") && seen.contains("selinux"))
    return "security_drivers: a kernel confines by apparmor or by selinux, not by both";
  return {};
}

}  // namespace

Result<Config> parse_config(std::string_view text, const std::string& name) {
  try {
    const toml::table table = toml::parse(text, name);
    Config config;
    Reader reader(table, name);
    describe(config, reader);
    for (const auto& [display, first, last] : {std::tuple("vnc", config.vnc_first_port, config.vnc_last_port),
                                               std::tuple("spice", config.spice_first_port, config.spice_last_port)})
      if (first > last)
        reader.complain(*table.get(fmt::format("{}_first_port", display)),
                        fmt::format("{0}_first_port is above {0}_last_port", display));
    static const std::set<std::string> levels{"debug", "info", "warn", "error"};
    if (!levels.contains(config.log_level))
      reader.complain(*table.get("log_level"), "log_level must be debug, info, warn or error");
    if (const auto wrong = wrong_in_drivers(config.security_drivers); !wrong.empty())
      reader.complain(*table.get("security_drivers"), wrong);
    if (!config.metrics_listen.empty())
      if (const auto address = parse_loopback(config.metrics_listen); !address)
        reader.complain(*table.get("metrics_listen"), "metrics_listen: " + address.error().detail);
    if (config.tree_journal != "behind" && config.tree_journal != "sync" && config.tree_journal != "off")
      reader.complain(*table.get("tree_journal"), "tree_journal must be behind, sync or off");
    if (config.cgroup != "auto" && config.cgroup != "off")
      reader.complain(*table.get("cgroup"), "cgroup must be auto or off");
    if (config.cgroup_parent.contains('/') || config.cgroup_parent.starts_with('.'))
      reader.complain(*table.get("cgroup_parent"), "cgroup_parent must be a name, not a path");
    if (auto ok = reader.finish(); !ok) return pass_on(ok);
    return config;
  } catch (const toml::parse_error& e) {
    return fail_from(VIR_FROM_CONF, VIR_ERR_CONF_SYNTAX,
                     name + ":" + std::to_string(e.source().begin.line) + ": " + std::string(e.description()));
  }
}

Result<Config> read_config(const std::string& file) {
  std::ifstream in(file);
  if (!in) return fail_errno(errno, "cannot open the configuration '" + file + "'");
  std::stringstream text;
  text << in.rdbuf();
  return parse_config(text.str(), file);
}

std::string print_config(const Config& config) {
  Printer printer;
  describe(config, printer);
  return "# vireod.toml: the settings of vireod. What is left out has the value shown here.\n" + printer.text();
}

TakenUp take_up(Config& in_force, Config read) {
  TakenUp result;
  const auto old_rows = rows_of(in_force), new_rows = rows_of(read);
  for (std::size_t i = 0; i < old_rows.size(); ++i)
    std::visit(
        [&](auto* field) {
          auto& value = *std::get<decltype(field)>(new_rows[i].field);
          if (*field == value) return;
          if (old_rows[i].applies == at_next_start) return result.at_next_start.emplace_back(old_rows[i].key), void();
          *field = std::move(value);
          result.changed.emplace_back(old_rows[i].key);
        },
        old_rows[i].field);
  return result;
}

}  // namespace vireo::daemon
