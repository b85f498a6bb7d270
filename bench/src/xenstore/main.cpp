// Measures Vireo's xenstore beside Debian's two: the same work for each in turn, round by round, in one process and one
// run, so that whatever else the machine does falls on all of them alike. Prints medians and ratios, and whether the
// aims are met.
//
//   bench_xenstore [--json FILE] [--rows TEXT] [--processors SERVERS,CLIENT] NAME=SOCKET:PID …
//
// --rows measures only rows whose names have TEXT in them. Servers, with all their threads, stay on one processor and
// the client on another (by default the last and the first). Exits 1 if a row failed; one that a
// server cannot do is left out.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "../arguments.hpp"
#include "../report.hpp"
#include "result.hpp"
#include "rows.hpp"

namespace vireo::bench::xenstore {
namespace {

volatile std::sig_atomic_t interrupted = 0;

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

std::optional<Figures> figures_of(const std::vector<Sample>& samples) {
  if (samples.empty()) return std::nullopt;
  std::vector<double> wall_us, server_us, conflicts, bytes;
  for (const auto& sample : samples) {
    const auto operations = static_cast<double>(sample.operations);
    wall_us.push_back(static_cast<double>(sample.wall.count()) / 1'000 / operations);
    server_us.push_back(static_cast<double>(sample.server.count()) / 1'000 / operations);
    if (sample.conflicts) conflicts.push_back(static_cast<double>(*sample.conflicts) / operations);
    if (sample.bytes) bytes.push_back(*sample.bytes);
  }
  return Figures{.wall_us = *median(wall_us),
                 .server_us = *median(server_us),
                 .conflicts = median(conflicts),
                 .bytes = median(bytes)};
}

// A row for all contenders, taking turns; whose turn comes first moves on with each round. One that fails is out of the
// row and has no figures: to refuse fast is no result.
RowResult measure(const Row& row, std::vector<Contender>& contenders, bool& failed) {
  std::vector<std::vector<Sample>> samples(contenders.size());
  std::vector<bool> out(contenders.size(), false);
  const auto with = [&](std::size_t c, auto work) {
    if (out[c] || !work) return;
    try {
      work(contenders[c]);
    } catch (const Broken& why) {
      const bool unable = dynamic_cast<const Unable*>(&why) != nullptr;
      fmt::print(stderr, "{} {}: {}: {}\n", contenders[c].name, unable ? "cannot" : "failed", row.name, why.what());
      out[c] = true;
      failed = failed || !unable;
      samples[c].clear();
      contenders[c].others.clear();
      contenders[c].client.emplace(contenders[c].socket);
    }
  };
  for (std::size_t c = 0; c < contenders.size(); ++c) {
    out[c] = contenders[c].is_floor && !row.has_floor;
    with(c, row.prepare);
  }
  const std::function<void(Contender&)> nothing;
  for (int round = 0; round < row.rounds && !interrupted; ++round)
    for (std::size_t turn = 0; turn < contenders.size(); ++turn) {
      const auto c = (turn + static_cast<std::size_t>(round)) % contenders.size();
      with(c, std::function([&, c](Contender& contender) { samples[c].push_back(row.round(contender)); }));
    }
  for (std::size_t c = 0; c < contenders.size(); ++c) with(c, row.finish);
  RowResult result{.name = row.name, .pipelined = row.pipelined, .of = {}};
  for (const auto& one : samples) result.of.push_back(figures_of(one));
  return result;
}

class Run {
 public:
  Run(std::vector<Contender> contenders, std::string wanted)
      : contenders_(std::move(contenders)), wanted_(std::move(wanted)) {
    for (const auto& contender : contenders_) results_.contenders.push_back(contender.name);
  }

  bool run() {
    fmt::print("{}\n{}", machine_line(), results_.head());
    for (auto& contender : contenders_) contender.client.emplace(contender.socket);
    rows(rows_of_bulk());
    for (const int nodes : {100, 10'000, 100'000}) {
      const auto more = nodes == 10'000;
      auto of_size = rows_of_size(nodes);
      if (more)
        for (auto part : {rows_of_reads(), rows_of_crowds(), rows_of_watches()})
          std::ranges::move(part, std::back_inserter(of_size));
      if (nodes == 100'000) std::ranges::move(rows_of_the_end(), std::back_inserter(of_size));
      std::erase_if(of_size, [this](const Row& row) { return !is_wanted(row); });
      if (of_size.empty()) continue;
      for (auto& contender : contenders_)
        if (!contender.is_floor) fill(contender, nodes);
      rows(of_size);
      for (auto& contender : contenders_)
        if (!contender.is_floor && interrupted == 0) clear(contender);
    }
    fmt::print("{}", aims(results_));
    return !failed_ && !interrupted;
  }

  const Results& results() const { return results_; }

 private:
  bool is_wanted(const Row& row) const { return row.name.find(wanted_) != std::string::npos; }

  void rows(const std::vector<Row>& all) {
    // Filling and removing belong together.
    const bool any = std::ranges::any_of(all, [this](const Row& row) { return is_wanted(row); });
    for (const auto& row : all) {
      if (!any || interrupted) continue;
      results_.rows.push_back(measure(row, contenders_, failed_));
      fmt::print("{}", results_.lines(results_.rows.back()));
    }
  }

  std::vector<Contender> contenders_;
  std::string wanted_;
  Results results_;
  bool failed_ = false;
};

int main_of(const Arguments& arguments) {
  std::vector<Contender> contenders;
  for (const auto& [name, rest] : arguments.servers) {
    auto contender = Contender::parse(fmt::format("{}={}", name, rest));
    if (!contender) return 2;
    contenders.push_back(std::move(*contender));
  }
  const auto last = static_cast<int>(std::thread::hardware_concurrency());
  auto processors = arguments.numbers("processors", fmt::format("{},1", last));
  if (contenders.empty() || processors.size() != 2) return 2;
  auto placed = pin(0, processors[1] - 1);
  for (const auto& contender : contenders)
    if (placed) placed = pin(contender.pid, processors[0] - 1);
  if (!placed) {
    fmt::print(stderr, "{}\n", placed.error().message());
    return 1;
  }
  Run run(std::move(contenders), arguments.text("rows", ""));
  bool good = false;
  try {
    good = run.run();
  } catch (const Broken& why) {
    fmt::print(stderr, "bench_xenstore: {}\n", why.what());
  }
  if (const auto path = arguments.text("json", ""); !path.empty())
    if (const auto written = run.results().write_json(path); !written) {
      fmt::print(stderr, "{}\n", written.error().message());
      good = false;
    }
  return good ? 0 : 1;
}

}  // namespace
}  // namespace vireo::bench::xenstore

int main(int argc, char** argv) {
  using namespace vireo::bench;
  std::signal(SIGINT, [](int) { xenstore::interrupted = 1; });
  std::signal(SIGTERM, [](int) { xenstore::interrupted = 1; });
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  const auto arguments = Arguments::parse(argc, argv, {"json", "rows", "processors"});
  const int status = arguments ? xenstore::main_of(*arguments) : 2;
  if (status == 2)
    fmt::print(stderr,
               "usage: bench_xenstore [--json FILE] [--rows TEXT] [--processors SERVERS,CLIENT] NAME=SOCKET:PID …\n");
  return status;
}
