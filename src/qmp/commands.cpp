// Reading QEMU's answers.
#include "qmp/commands.hpp"

#include <charconv>

namespace vireo::qmp {

namespace {

std::unexpected<Error> unlike(const std::string& command) {
  return fail(VIR_ERR_INTERNAL_ERROR, "QEMU's answer to '" + command + "' has an unknown form");
}

const json::string* string_at(const json::value& value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto* found = value.get_object().if_contains(key);
  return found ? found->if_string() : nullptr;
}

}  // namespace

asio::awaitable<Result<void>> run_command(MonitorPtr monitor, std::string command, Deadline deadline,
                                          std::source_location where) {
  auto answer = co_await monitor->execute(std::move(command), json::object(), deadline, where);
  if (!answer) co_return pass_on(answer);
  co_return Result<void>();
}

asio::awaitable<Result<Status>> query_status(MonitorPtr monitor, Deadline deadline) {
  auto answer = co_await monitor->execute("query-status", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  const auto* name = string_at(*answer, "status");
  const auto* running = name ? answer->get_object().if_contains("running") : nullptr;
  if (!running || !running->is_bool()) co_return unlike("query-status");
  Status status;
  status.running = running->get_bool();
  status.name = std::string(*name);
  co_return status;
}

asio::awaitable<Result<std::map<std::string, std::string>>> query_terminals(MonitorPtr monitor, Deadline deadline) {
  constexpr std::string_view kTerminal = "pty:";
  auto answer = co_await monitor->execute("query-chardev", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  if (!answer->is_array()) co_return unlike("query-chardev");
  std::map<std::string, std::string> terminals;
  for (const auto& device : answer->get_array()) {
    const auto* label = string_at(device, "label");
    const auto* file = string_at(device, "filename");
    if (!label || !file) co_return unlike("query-chardev");
    if (std::string_view(*file).starts_with(kTerminal))
      terminals.emplace(std::string(*label), std::string(*file).substr(kTerminal.size()));
  }
  co_return terminals;
}

asio::awaitable<Result<std::set<std::string>>> query_open_frontends(MonitorPtr monitor, Deadline deadline) {
  auto answer = co_await monitor->execute("query-chardev", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  if (!answer->is_array()) co_return unlike("query-chardev");
  std::set<std::string> open;
  for (const auto& device : answer->get_array()) {
    const auto* label = string_at(device, "label");
    const auto* held = label ? device.get_object().if_contains("frontend-open") : nullptr;
    if (!held || !held->is_bool()) co_return unlike("query-chardev");
    if (held->get_bool()) open.emplace(*label);
  }
  co_return open;
}

asio::awaitable<Result<std::uint64_t>> query_balloon(MonitorPtr monitor, Deadline deadline) {
  auto answer = co_await monitor->execute("query-balloon", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  const auto* actual = answer->is_object() ? answer->get_object().if_contains("actual") : nullptr;
  if (!actual || !actual->is_int64() || actual->get_int64() < 0) co_return unlike("query-balloon");
  co_return static_cast<std::uint64_t>(actual->get_int64());
}

asio::awaitable<Result<std::vector<pid_t>>> query_vcpu_threads(MonitorPtr monitor, Deadline deadline) {
  auto answer = co_await monitor->execute("query-cpus-fast", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  if (!answer->is_array()) co_return unlike("query-cpus-fast");
  std::map<std::int64_t, pid_t> threads;
  for (const auto& vcpu : answer->get_array()) {
    const auto* index = vcpu.is_object() ? vcpu.get_object().if_contains("cpu-index") : nullptr;
    const auto* thread = vcpu.is_object() ? vcpu.get_object().if_contains("thread-id") : nullptr;
    if (!index || !index->is_int64() || !thread || !thread->is_int64()) co_return unlike("query-cpus-fast");
    threads[index->get_int64()] = static_cast<pid_t>(thread->get_int64());
  }
  std::vector<pid_t> in_order;
  in_order.reserve(threads.size());
  for (const auto& [index, thread] : threads) in_order.push_back(thread);
  co_return in_order;
}

asio::awaitable<Result<int>> query_vnc_port(MonitorPtr monitor, Deadline deadline) {
  auto answer = co_await monitor->execute("query-vnc", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  if (!answer->is_object()) co_return unlike("query-vnc");
  const auto* service = string_at(*answer, "service");
  int port = 0;
  if (service) std::from_chars(service->data(), service->data() + service->size(), port);
  co_return port;
}

asio::awaitable<Result<std::string>> human_command(MonitorPtr monitor, std::string line, Deadline deadline) {
  json::object arguments;
  arguments["command-line"] = line;
  auto answer = co_await monitor->execute("human-monitor-command", std::move(arguments), deadline);
  if (!answer) co_return pass_on(answer);
  if (!answer->is_string()) co_return unlike("human-monitor-command");
  co_return std::string(answer->get_string());
}

}  // namespace vireo::qmp
