// CONTROL: what clients ask of the daemon itself. Commands and the form of their answers are those of Xen 4.17's
// xenstored. The daemon may have more rights than its client, so it writes to no file that a client names: what it has
// to say is in its own log.
#include <algorithm>
#include <cerrno>
#include <vector>

#include "base/log.hpp"
#include "doors/xenstore/arguments.hpp"
#include "doors/xenstore/operations.hpp"

namespace vireo::doors::xenstore {
namespace {

using Arguments = std::vector<std::string_view>;

// A client's text for the log: one line, and not a long one.
std::string printable(std::string_view text) {
  std::string clean(text.substr(0, 256));
  std::ranges::replace_if(clean, [](char c) { return c < ' ' || c > '~'; }, '.');
  return clean;
}

int reply_text(Client& client, const Request& request, const std::string& text) {
  return client.reply(request, {text.c_str(), text.size() + 1});
}

int check(Client& client, const Request& request, const Arguments& arguments) {
  return arguments.empty() ? client.reply_ok(request) : EINVAL;  // the tree has no state that could need repair
}

int log_command(Client& client, const Request& request, const Arguments& arguments) {
  if (arguments.size() != 1 || (arguments[0] != "on" && arguments[0] != "off")) return EINVAL;
  client.common().log_requests = arguments[0] == "on";
  return client.reply_ok(request);
}

int logfile(Client& /*client*/, const Request& /*request*/, const Arguments& arguments) {
  return arguments.size() == 1 ? EACCES : EINVAL;
}

int memreport(Client& client, const Request& request, const Arguments& arguments) {
  if (!arguments.empty()) return arguments.size() == 1 ? EACCES : EINVAL;
  if (const auto more = client.common().prints.turn()) {
    const auto& counters = client.common().counters;
    log::info("the tree's door holds {} bytes for {} clients with {} watches and {} transactions{}",
              counters.held_bytes.value(), counters.clients.value(), counters.watches.value(),
              counters.transactions.value(), *more);
    for (const auto& [domain, usage] : client.store().accounts().all())
      log::info("domain {} owns {} nodes, {} bytes", domain, usage.nodes, usage.bytes);
  }
  return client.reply_ok(request);
}

int print(Client& client, const Request& request, const Arguments& arguments) {
  if (arguments.size() != 1) return EINVAL;
  if (const auto more = client.common().prints.turn())
    log::info("a client of the tree says: {}{}", printable(arguments[0]), *more);
  return client.reply_ok(request);
}

struct Described {
  std::string_view name, words;
};

// As Xen's daemon lists them.
constexpr Described quotas[] = {
    {"nodes", "Nodes per domain"},
    {"watches", "Watches per domain"},
    {"transactions", "Transactions per domain"},
    {"outstanding", "Outstanding requests per domain"},
    {"transaction-nodes", "Max. number of accessed nodes per transaction"},
    {"memory", "Total Xenstore memory per domain (error level)"},
    {"node-size", "Max. size of a node"},
    {"permissions", "Max. number of permissions per node"},
};

std::string quota_line(const Described& quota, std::uint32_t value) {
  return fmt::format("{:<17}: {:>8} {}\n", quota.name, value, quota.words);
}

// What a domain has. Watches and the like are those of its connections.
std::string usage_of(const Common& common, tree::DomainId domain) {
  const auto usage = common.store.accounts().of(domain);
  std::size_t watches = 0, transactions = 0, outstanding = 0, held = 0;
  for (const auto* client : common.clients) {
    if (client->domain() != domain) continue;
    watches += client->watches();
    transactions += client->transactions();
    outstanding += client->outstanding();
    held += client->held();
  }
  return fmt::format("Domain {}:\n{:<16}: {:>8}\n{:<16}: {:>8}\n{:<16}: {:>8}\n{:<16}: {:>8}\n{:<16}: {:>8}\n", domain,
                     "nodes", usage.nodes, "watches", watches, "transactions", transactions, "outstanding", outstanding,
                     "memory", static_cast<std::size_t>(usage.bytes) + held);
}

// "set NAME VALUE" behind the command; null: it is something else.
std::optional<std::uint32_t> value_to_set(const Arguments& arguments) {
  if (arguments.size() != 3 || arguments[0] != "set") return std::nullopt;
  const auto value = number_of(arguments[2]);
  return value && *value > 0 ? value : std::nullopt;
}

int quota(Client& client, const Request& request, const Arguments& arguments) {
  auto& limits = client.store().quotas();
  if (arguments.empty()) {
    std::string text = "Quota settings:\n";
    for (const auto& each : quotas) text += quota_line(each, *limits.find_default(each.name));
    return reply_text(client, request, text);
  }
  if (arguments.size() == 1) {
    const auto domain = domain_of(arguments[0]);
    if (!domain) return EINVAL;
    if (!client.common().exists(*domain)) return ENOENT;
    return reply_text(client, request, usage_of(client.common(), *domain));
  }
  const auto value = value_to_set(arguments);
  auto* limit = value ? limits.find_default(arguments[1]) : nullptr;
  if (!limit) return EINVAL;
  *limit = *value;
  return client.reply_ok(request);
}

int quota_soft(Client& client, const Request& request, const Arguments& arguments) {
  static constexpr Described memory = {"memory", "Total Xenstore memory per domain (warning level)"};
  auto& soft = client.common().soft_memory;
  if (arguments.empty()) return reply_text(client, request, "Quota settings:\n" + quota_line(memory, soft));
  const auto value = value_to_set(arguments);
  if (!value || arguments[1] != memory.name) return EINVAL;
  soft = *value;
  return client.reply_ok(request);
}

int help(Client& client, const Request& request, const Arguments& arguments);

struct Command {
  std::string_view name;
  int (*run)(Client&, const Request&, const Arguments&);
  std::string_view parameters;
};

constexpr Command commands[] = {
    {"check", check, ""},
    {"log", log_command, "on|off"},
    {"logfile", logfile, "<file>"},
    {"memreport", memreport, "[<file>]"},
    {"print", print, "<string>"},
    {"quota", quota, "[set <name> <val>|<domid>]"},
    {"quota-soft", quota_soft, "[set <name> <val>]"},
    {"help", help, ""},
};

int help(Client& client, const Request& request, const Arguments& arguments) {
  if (!arguments.empty()) return EINVAL;
  std::string text;
  for (const auto& command : commands) text += fmt::format("{}\t{}\n", command.name, command.parameters);
  return reply_text(client, request, text);
}

}  // namespace

int control(Client& client, const Request& request) {
  Strings strings(request.payload);
  const auto name = strings.next();
  if (!name) return EINVAL;
  const auto* const command = std::ranges::find(commands, *name, &Command::name);
  if (command == std::end(commands)) return EINVAL;
  Arguments arguments;
  while (const auto argument = strings.next()) arguments.push_back(*argument);
  return command->run(client, request, arguments);
}

void log_request(const Client& client, const Header& header, std::string_view payload) {
  log::info("tree: domain {} asks {} (transaction {}): {}", client.domain(), operation_name(header.type),
            header.transaction, printable(payload));
}

}  // namespace vireo::doors::xenstore
