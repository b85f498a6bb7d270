// Measures, inside one process and on one thread, what finding a guest among many costs: by id, by name and by UUID in
// the registry's published version, as a door does it; and what publishing a change of one guest costs. The keys come
// in random order, so that with many guests each look goes to memory that no cache holds ready: what is measured is
// the worst, not the same few guests again and again. "find" ends with reading the guest's state; "answer" goes on to
// what a door gives back: a copy of name, UUID and id; "without search" is that copy alone, from a pointer to the
// guest, and says what of the growth is the memory's.
//
//   bench_flat_inside [--guests N,…]
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <random>
#include <thread>

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

// What goes back to a client of a guest that was looked up.
struct Answer {
  std::string name;
  Uuid uuid;
  int id;
};

// Nanoseconds, in the order of `columns`.
constexpr std::array columns = {"find: by id", "by name", "by UUID",        "answer: by id",
                                "by name",     "by UUID", "without search", "publish"};
using Figures = std::array<double, columns.size()>;

Figures measure(int guests) {
  Population p;
  populate(p, guests);
  std::mt19937 random(7);
  std::vector<int> ids;
  std::vector<std::string> names;
  std::vector<Uuid> uuids;
  std::vector<const model::DomainView*> views;
  const auto& versions = p.registry.versions();
  for (int i = 0; i < looks; ++i) {
    const auto& view = p.views[random() % static_cast<unsigned>(guests)];
    ids.push_back(view.id);
    names.push_back(view.name);
    uuids.push_back(view.uuid);
    views.push_back(versions.pin()->by_id.find(view.id)->get());
  }
  const auto at = [](int i) { return static_cast<std::size_t>(i); };
  std::int64_t running = 0;
  const auto find = [&](const auto& index, const auto& keys) {
    return nanoseconds_each(looks, [&](int i) { running += (*((*versions.pin()).*index).find(keys[at(i)]))->state; });
  };
  std::size_t letters = 0;
  const auto answer = [&](const model::DomainView& view) {
    Answer made{.name = view.name, .uuid = view.uuid, .id = view.id};
    asm volatile("" ::"r"(&made) : "memory");  // it is made, although nobody reads it
    letters += made.name.size();
  };
  const auto find_and_answer = [&](const auto& index, const auto& keys) {
    return nanoseconds_each(looks, [&](int i) {
      const auto version = versions.pin();
      answer(**((*version).*index).find(keys[at(i)]));
    });
  };
  using model::HostVersion;
  Figures f{find(&HostVersion::by_id, ids),
            find(&HostVersion::by_name, names),
            find(&HostVersion::by_uuid, uuids),
            find_and_answer(&HostVersion::by_id, ids),
            find_and_answer(&HostVersion::by_name, names),
            find_and_answer(&HostVersion::by_uuid, uuids),
            nanoseconds_each(looks, [&](int i) { answer(*views[at(i)]); }),
            0};
  if (running != std::int64_t{3} * repeats * looks || letters == 0)
    fmt::print(stderr, "a lookup found something else than it was asked for\n");
  f.back() = nanoseconds_each(publishes, [&](int) {
    const auto n = random() % static_cast<unsigned>(guests);
    auto view = p.views[n];
    view.state = view.state == VIR_DOMAIN_RUNNING ? VIR_DOMAIN_PAUSED : VIR_DOMAIN_RUNNING;
    p.registry.publish(*p.claims[n].domain(), std::move(view));
  });
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
  // As in the daemon: with a second thread, references are counted atomically.
  std::jthread other([](const std::stop_token& end) {
    while (!end.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  });
  fmt::print("in the process, nanoseconds; in brackets the ratio to the first line ({})\n{:>7}", machine_line(),
             "guests");
  for (const auto* column : columns) fmt::print("{:>17}", column);
  fmt::print("\n");
  std::optional<Figures> first;
  for (const int n : guests) {
    const auto figures = measure(n);
    if (!first) first = figures;
    fmt::print("{:>7}", n);
    for (std::size_t c = 0; c < figures.size(); ++c)
      fmt::print("{:>17}", fmt::format("{:.1f} ({:.2f})", figures[c], figures[c] / (*first)[c]));
    fmt::print("\n");
    std::fflush(stdout);
  }
  return 0;
}
