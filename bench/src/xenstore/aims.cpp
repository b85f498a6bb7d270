// Whether Vireo does what it is measured for. See result.hpp.
#include <cmath>
#include <limits>

#include "result.hpp"

namespace vireo::bench::xenstore {
namespace {

std::string line(bool met, std::string_view aim, const std::string& figures) {
  return fmt::format("{:<7} {}: {}\n", met ? "met" : "missed", aim, figures);
}

// How many times longer than Vireo the faster peer takes.
std::optional<double> lead(const Results& results, const RowResult& row, double Figures::* what) {
  const auto* vireo = results.find(row.name, "vireo");
  double least = std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < results.contenders.size(); ++i)
    if (const auto& name = results.contenders[i]; name != "vireo" && name != "floor" && row.of[i])
      least = std::min(least, (*row.of[i]).*what);
  if (!vireo || std::isinf(least) || vireo->*what <= 0) return std::nullopt;
  return least / (vireo->*what);
}

struct Least {
  double value = std::numeric_limits<double>::infinity();
  std::string row = {};
  std::string missed = {};

  void add(double one, const std::string& name, double wanted) {
    if (one < value) value = one, row = name;
    if (one < wanted) missed += fmt::format("; {} {:.2f}", name, one);
  }
  std::string text() const {
    return fmt::format("least {:.2f} times ({}){}", value, row, missed.empty() ? "" : ", missed by" + missed.substr(1));
  }
};

}  // namespace

std::string aims(const Results& results) {
  if (std::ranges::find(results.contenders, "vireo") == results.contenders.end()) return {};
  std::string out;
  Least ahead, ahead_server, pipelined;
  for (const auto& row : results.rows) {
    const auto wall = lead(results, row, &Figures::wall_us);
    const auto server = lead(results, row, &Figures::server_us);
    if (wall) ahead.add(*wall, row.name, 1);
    if (server) ahead_server.add(*server, row.name, 1);
    if (server && row.pipelined) pipelined.add(*server, row.name, 3);
  }
  const auto judge = [&out](const Least& least, double wanted, std::string_view aim) {
    if (!std::isinf(least.value)) out += line(least.value >= wanted, aim, least.text());
  };
  judge(ahead, 1, "ahead of both on every row, by the clock");
  judge(ahead_server, 1, "ahead of both on every row, in the server's time");
  judge(pipelined, 3, "3 times on pipelined reads and writes, in the server's time");

  if (const auto* siblings = results.find("8 clients, siblings", "vireo"); siblings && siblings->conflicts)
    out += line(*siblings->conflicts == 0, "no conflicts between siblings",
                fmt::format("{:.2f} lost for a commit", *siblings->conflicts));

  constexpr std::string_view small = ", 100 nodes", large = ", 100000 nodes";
  constexpr double flat = 1.5;  // paths are no longer, but caches are full
  std::string worst;
  double most = 0;
  for (const auto& row : results.rows) {
    if (!row.name.ends_with(small)) continue;
    const auto what = row.name.substr(0, row.name.size() - small.size());
    const auto *few = results.find(row.name, "vireo"), *many = results.find(what + std::string(large), "vireo");
    if (!few || !many || few->server_us <= 0) continue;
    const double grown = many->server_us / few->server_us;
    worst += fmt::format("{}{} {:.2f} ({:+.1f} us)", worst.empty() ? "" : "; ", what, grown,
                         many->server_us - few->server_us);
    most = std::max(most, grown);
  }
  if (!worst.empty())
    out += line(most <= flat, fmt::format("flat from 100 to 100,000 nodes (at most {} times the server's time)", flat),
                worst);

  if (const auto* filling = results.find("making 100,000 nodes", "vireo"); filling && filling->bytes > 0)
    out +=
        line(*filling->bytes < 200, "under 200 bytes for a small node", fmt::format("{:.0f} bytes", *filling->bytes));
  return out;
}

}  // namespace vireo::bench::xenstore
