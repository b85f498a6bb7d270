// Measures, inside one process and on one thread, what finding a guest among many costs: by id, by name and by UUID in
// the registry's published version, as a door does it; and what publishing a change of one guest costs. The keys come
// in random order, so that with many guests each look goes to memory that no cache holds ready: what is measured is
// the worst, not the same few guests again and again. A lookup ends with reading the guest's state.
//
//   bench_flat_inside [--guests N,…]
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <random>

#include "arguments.hpp"
#include "core/registry.hpp"
#include "report.hpp"

namespace vireo::bench {
namespace {

constexpr int looks = 20'000;
constexpr int publishes = 2'000;
constexpr int repeats = 51;  // the median of these counts

struct Population {
  asio::io_context io;
  core::Registry registry{io.get_executor()};
  std::vector<core::DomainClaim> claims;
  std::vector<model::DomainView> views;
};

// What a view of a running guest holds, without devices: the sizes of what a lookup touches.
model::DomainView view_of(int n) {
  auto def = std::make_shared<model::DomainDef>();
  def->name = fmt::format("customer-{:02}-web-{:05}", n % 97, n);
  std::mt19937_64 random(static_cast<std::uint64_t>(n) + 1);
  for (auto& byte : def->uuid.bytes) byte = static_cast<std::uint8_t>(random());
  model::DomainView view{.uuid = def->uuid, .name = def->name, .id = n + 1, .persistent = def, .live = def};
  view.state = VIR_DOMAIN_RUNNING;
  return view;
}

void populate(Population& p, int guests) {
  for (int n = 0; n < guests; ++n) {
    auto view = view_of(n);
    auto claim = p.registry.claim(view.uuid, view.name);
    p.registry.publish(*claim->domain(), view);
    p.claims.push_back(std::move(*claim));
    p.views.push_back(std::move(view));
  }
}

// Nanoseconds for each of `times` calls of `once`, the median of several repeats.
template <class Once>
double nanoseconds_each(int times, Once once) {
  std::vector<double> all;
  for (int r = 0; r < repeats; ++r) {
    const auto begun = Clock::now();
    for (int i = 0; i < times; ++i) once(i);
    all.push_back(std::chrono::duration<double, std::nano>(Clock::now() - begun).count() / times);
  }
  std::ranges::nth_element(all, all.begin() + repeats / 2);
  return all[repeats / 2];
}

struct Figures {
  int guests;
  double by_id, by_name, by_uuid, publish;  // nanoseconds
};

Figures measure(int guests) {
  Population p;
  populate(p, guests);
  // The keys as a request brings them: beside each other in memory that is read in order.
  std::mt19937 random(7);
  std::vector<int> ids;
  std::vector<std::string> names;
  std::vector<Uuid> uuids;
  for (int i = 0; i < looks; ++i) {
    const auto& view = p.views[random() % static_cast<unsigned>(guests)];
    ids.push_back(view.id);
    names.push_back(view.name);
    uuids.push_back(view.uuid);
  }
  int running = 0;
  const auto& versions = p.registry.versions();
  const auto at = [](int i) { return static_cast<std::size_t>(i); };
  Figures f{.guests = guests, .by_id = 0, .by_name = 0, .by_uuid = 0, .publish = 0};
  f.by_id = nanoseconds_each(looks, [&](int i) { running += (*versions.pin()->by_id.find(ids[at(i)]))->state; });
  f.by_name = nanoseconds_each(looks, [&](int i) { running += (*versions.pin()->by_name.find(names[at(i)]))->state; });
  f.by_uuid = nanoseconds_each(looks, [&](int i) { running += (*versions.pin()->by_uuid.find(uuids[at(i)]))->state; });
  f.publish = nanoseconds_each(publishes, [&](int) {
    const auto n = random() % static_cast<unsigned>(guests);
    auto view = p.views[n];
    view.state = view.state == VIR_DOMAIN_RUNNING ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
    p.registry.publish(*p.claims[n].domain(), std::move(view));
  });
  if (running != 3 * repeats * looks) fmt::print(stderr, "a lookup found something else than it was asked for\n");
  return f;
}

}  // namespace
}  // namespace vireo::bench

int main(int argc, char** argv) {
  using namespace vireo::bench;
  const auto arguments = Arguments::parse(argc, argv, {"guests"});
  const auto guests = arguments ? arguments->numbers("guests", "10,100,1000,10000") : std::vector<int>{};
  if (guests.empty()) {
    fmt::print(stderr, "usage: bench_flat_inside [--guests N,…]\n");
    return 2;
  }
  fmt::print("in the process ({}); ratios to the first line\n{:>8}{:>22}{:>22}{:>22}{:>24}\n", machine_line(), "guests",
             "by id", "by name", "by UUID", "publish");
  std::optional<Figures> first;
  for (const int n : guests) {
    const auto f = measure(n);
    if (!first) first = f;
    const auto cell = [](double ns, double of) { return fmt::format("{:.1f} ns ({:.2f})", ns, ns / of); };
    fmt::print("{:>8}{:>22}{:>22}{:>22}{:>24}\n", n, cell(f.by_id, first->by_id), cell(f.by_name, first->by_name),
               cell(f.by_uuid, first->by_uuid), cell(f.publish, first->publish));
    std::fflush(stdout);
  }
  return 0;
}
