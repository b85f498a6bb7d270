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

void ask_all(Client& client, const std::vector<std::string>& paths, std::uint32_t type, std::string_view rest) {
  constexpr std::size_t depth = 32;
  for (std::size_t first = 0; first < paths.size(); first += depth) {
    const auto last = std::min(first + depth, paths.size());
    for (auto i = first; i < last; ++i) client.put(type, 0, paths[i], rest);
    client.send();
    for (auto i = first; i < last; ++i) client.good_answer();
  }
}

void fill(Contender& contender, int nodes) {
  std::vector<std::string> paths;
  paths.reserve(static_cast<std::size_t>(nodes));
  for (int i = 0; i < nodes; ++i) paths.push_back(path_of(i));
  ask_all(*contender.client, paths, XS_WRITE, "8 bytes.");
}

void clear(Contender& contender) { contender.client->get(XS_RM, 0, "/bench"); }

}  // namespace vireo::bench::xenstore
