// What each part of a question is in QEMU's words. What it costs QEMU is in docs/PERFORMANCE.md.
#include "qemu/ask_figures.hpp"

#include "qemu/figures.hpp"
#include "qemu/together.hpp"

namespace vireo::qemu {
namespace {

using Answer = std::shared_ptr<ports::MonitorAnswer>;
using Part = asio::awaitable<Result<void>>;

// One command and what its answer is read into. A refusal is noted; a monitor that does not answer fails the part.
template <class T>
Part ask(qmp::MonitorPtr monitor, std::string command, json::object arguments, Result<T> (*read)(const json::value&),
         Answer answer, std::optional<T> ports::MonitorAnswer::* into, Deadline deadline) {
  auto said = co_await monitor->execute(std::move(command), std::move(arguments), deadline);
  if (!said && !monitor->is_open()) co_return pass_on(said);
  if (!said && said.error().code == VIR_ERR_OPERATION_TIMEOUT) co_return pass_on(said);
  auto figures = said ? read(*said) : pass_on(said);
  if (figures)
    (*answer).*into = std::move(*figures);
  else
    answer->refusals.push_back(figures.error().message());
  co_return Result<void>();
}

struct KvmSaid {
  json::value schemas, vm, vcpus;
};

Part keep(qmp::MonitorPtr monitor, std::string command, json::object arguments, std::shared_ptr<KvmSaid> said,
          json::value KvmSaid::* into, Deadline deadline) {
  auto got = co_await monitor->execute(std::move(command), std::move(arguments), deadline);
  if (!got) co_return pass_on(got);
  (*said).*into = std::move(*got);
  co_return Result<void>();
}

Part ask_kvm(qmp::MonitorPtr monitor, Answer answer, Deadline deadline) {
  auto said = std::make_shared<KvmSaid>();
  std::vector<Part> parts;
  parts.push_back(keep(monitor, "query-stats-schemas", {{"provider", "kvm"}}, said, &KvmSaid::schemas, deadline));
  parts.push_back(keep(monitor, "query-stats", {{"target", "vm"}}, said, &KvmSaid::vm, deadline));
  parts.push_back(keep(monitor, "query-stats", {{"target", "vcpu"}}, said, &KvmSaid::vcpus, deadline));
  auto done = co_await together(std::move(parts), deadline);
  if (!done && (!monitor->is_open() || done.error().code == VIR_ERR_OPERATION_TIMEOUT)) co_return done;
  auto figures = done ? read_kvm_counts(said->schemas, said->vm, said->vcpus) : pass_on(done);
  if (figures)
    answer->kvm = std::move(*figures);
  else
    answer->refusals.push_back(figures.error().message());
  co_return Result<void>();
}

}  // namespace

asio::awaitable<Result<ports::MonitorAnswer>> ask_figures(qmp::MonitorPtr monitor, ports::MonitorQuestion question,
                                                          std::string balloon_path, Deadline deadline) {
  auto answer = std::make_shared<ports::MonitorAnswer>();
  std::vector<Part> parts;
  if (question.block)
    parts.push_back(ask<model::BlockCounts>(monitor, "query-blockstats", {}, &read_block_counts, answer,
                                            &ports::MonitorAnswer::block, deadline));
  if (question.block_facts)
    parts.push_back(ask<model::BlockFacts>(monitor, "query-named-block-nodes", {{"flat", true}}, &read_block_facts,
                                           answer, &ports::MonitorAnswer::block_facts, deadline));
  if (question.balloon && !balloon_path.empty())
    parts.push_back(ask<model::BalloonReport>(monitor, "qom-get", {{"path", balloon_path}, {"property", "guest-stats"}},
                                              &read_balloon_report, answer, &ports::MonitorAnswer::balloon, deadline));
  if (question.dirty_rate)
    parts.push_back(ask<model::DirtyRate>(monitor, "query-dirty-rate", {}, &read_dirty_rate, answer,
                                          &ports::MonitorAnswer::dirty_rate, deadline));
  if (question.kvm) parts.push_back(ask_kvm(monitor, answer, deadline));
  // One command, which is the usual case, needs no meeting of several.
  auto asked = parts.size() == 1 ? co_await std::move(parts.front()) : co_await together(std::move(parts), deadline);
  if (!asked) co_return pass_on(asked);
  co_return std::move(*answer);
}

asio::awaitable<Result<void>> set_balloon_period(qmp::MonitorPtr monitor, std::string balloon_path, int seconds,
                                                 Deadline deadline) {
  if (balloon_path.empty())
    co_return fail(VIR_ERR_OPERATION_INVALID, "Memory balloon model must be virtio to set memory stats period");
  json::object arguments{{"path", balloon_path}, {"property", "guest-stats-polling-interval"}, {"value", seconds}};
  auto done = co_await monitor->execute("qom-set", std::move(arguments), deadline);
  if (!done) co_return pass_on(done);
  co_return Result<void>();
}

asio::awaitable<Result<void>> start_dirty_rate(qmp::MonitorPtr monitor, int seconds, std::string mode,
                                               Deadline deadline) {
  json::object arguments{{"calc-time", seconds}};
  if (!mode.empty()) arguments["mode"] = mode;
  auto done = co_await monitor->execute("calc-dirty-rate", std::move(arguments), deadline);
  if (!done) co_return pass_on(done);
  co_return Result<void>();
}

asio::awaitable<Result<std::vector<std::pair<std::string, std::string>>>> query_disk_errors(qmp::MonitorPtr monitor,
                                                                                            Deadline deadline) {
  auto answer = co_await monitor->execute("query-block", json::object(), deadline);
  if (!answer) co_return pass_on(answer);
  std::vector<std::pair<std::string, std::string>> out;
  const auto* devices = answer->if_array();
  if (!devices) co_return fail(VIR_ERR_INTERNAL_ERROR, "QEMU's answer to 'query-block' has an unknown form");
  for (const auto& element : *devices) {
    const auto* device = element.if_object();
    const auto* status = device ? device->if_contains("io-status") : nullptr;
    const auto* path = device ? device->if_contains("qdev") : nullptr;
    if (!status || !status->is_string() || !path || !path->is_string() || status->get_string() == "ok") continue;
    out.emplace_back(alias_of(std::string_view(path->get_string())), std::string(status->get_string()));
  }
  co_return out;
}

}  // namespace vireo::qemu
