// Rows of much at once: 100,000 nodes made, what memory they take, and removed in one request. See rows.hpp.
#include <xen/io/xs_wire.h>

#include "rows.hpp"

namespace vireo::bench::xenstore {
namespace {

constexpr int nodes = 100'000;
// With the groups that hold them and the root of them all.
constexpr int all_nodes = nodes + nodes / 100 + 1;

Sample filling(Contender& contender) {
  const auto before_kib = contender.resident_kib();
  auto sample = timed(contender, nodes, [&] { fill(contender, nodes); });
  sample.bytes = static_cast<double>(contender.resident_kib() - before_kib) * 1'024 / all_nodes;
  return sample;
}

// The server's time goes on until it does nothing worth speaking of: it may remove in the background.
Sample removing(Contender& contender) {
  const auto spent = contender.spent();
  auto sample = timed(contender, nodes, [&] { clear(contender); });
  for (auto before = spent; contender.spent() - before > std::chrono::microseconds(500);) {
    before = contender.spent();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  sample.server = contender.spent() - spent;
  return sample;
}

// How long another client waits for a read that it sends right behind the removal.
Sample reading_beside(Contender& contender) {
  Client reader(contender.socket);
  reader.get(XS_READ, 0, "/");
  auto& client = *contender.client;
  auto sample = timed(contender, 1, [&] {
    client.put(XS_RM, 0, "/bench");
    client.send();
    reader.get(XS_READ, 0, "/");
  });
  client.good_answer();
  return sample;
}

}  // namespace

std::vector<Row> rows_of_bulk() {
  std::vector<Row> out;
  // Once only: what a server has freed it may use again, and then its memory says nothing of the nodes.
  out.push_back({.name = "making 100,000 nodes", .round = filling, .rounds = 1, .has_floor = false, .pipelined = true});
  out.push_back({.name = "removing 100,000 nodes", .round = removing, .rounds = 1, .has_floor = false});
  return out;
}

std::vector<Row> rows_of_the_end() {
  return {
      {.name = "a read right behind the removal of 100,000", .round = reading_beside, .rounds = 1, .has_floor = false}};
}

}  // namespace vireo::bench::xenstore
