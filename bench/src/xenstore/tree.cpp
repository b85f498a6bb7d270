// The tree that the rows work on. See rows.hpp.
#include <xen/io/xs_wire.h>

#include <random>

#include "rows.hpp"

namespace vireo::bench::xenstore {

std::string path_of(int node) { return fmt::format("/bench/{}/{}", node / 100, node); }

std::vector<std::string> some_paths(int nodes) {
  std::vector<std::string> out;
  std::mt19937 dice(1);
  out.reserve(10'000);
  for (int i = 0; i < 10'000; ++i) out.push_back(path_of(static_cast<int>(dice() % static_cast<unsigned>(nodes))));
  return out;
}

void fill(Contender& contender, int nodes) {
  auto& client = *contender.client;
  constexpr int depth = 32;
  for (int first = 0; first < nodes; first += depth) {
    const int last = std::min(first + depth, nodes);
    for (int i = first; i < last; ++i) client.put(XS_WRITE, 0, path_of(i), "8 bytes.");
    client.send();
    for (int i = first; i < last; ++i) client.good_answer();
  }
}

void clear(Contender& contender) { contender.client->get(XS_RM, 0, "/bench"); }

}  // namespace vireo::bench::xenstore
