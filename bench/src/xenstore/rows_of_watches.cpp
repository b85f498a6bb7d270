// Rows of watches: from when a client sends a write to when another has the event of it. See rows.hpp.
#include <xen/io/xs_wire.h>

#include "rows.hpp"

namespace vireo::bench::xenstore {
namespace {

constexpr std::string_view token("token\0", 6);

void watch(Contender& contender) {
  contender.client->get(XS_WRITE, 0, "/watched/node", "0");
  auto& watcher = contender.others.emplace_back(contender.socket);
  watcher.get(XS_WATCH, 0, "/watched", token);
  watcher.next();  // the event that each watch begins with
}

void watch_among_many(Contender& contender) {
  watch(contender);
  auto& other = contender.others.emplace_back(contender.socket);
  for (int i = 0; i < 10'000; ++i) other.get(XS_WATCH, 0, fmt::format("/unrelated/{}/{}", i / 100, i), token);
}

void leave(Contender& contender) {
  contender.others.clear();
  contender.client->get(XS_RM, 0, "/watched");
}

Sample events(Contender& contender) {
  constexpr std::size_t writes = 100;
  std::chrono::nanoseconds waited{};
  auto sample = timed(contender, writes, [&] {
    for (std::size_t i = 0; i < writes; ++i) {
      const auto began = std::chrono::steady_clock::now();
      contender.client->put(XS_WRITE, 0, "/watched/node", "1");
      contender.client->send();
      if (!contender.others[0].next().is_event()) throw Broken("no event came");
      waited += std::chrono::steady_clock::now() - began;
      contender.client->good_answer();
    }
  });
  sample.wall = waited;
  return sample;
}

}  // namespace

std::vector<Row> rows_of_watches() {
  std::vector<Row> out;
  out.push_back({.name = "event of a write", .round = events, .has_floor = false, .prepare = watch, .finish = leave});
  out.push_back({.name = "event of a write beside 10,000 watches",
                 .round = events,
                 .has_floor = false,
                 .prepare = watch_among_many,
                 .finish = leave});
  return out;
}

}  // namespace vireo::bench::xenstore
