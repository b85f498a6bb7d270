// The tree that the rows work on. See rows.hpp.
#include <xen/io/xs_wire.h>

#include <random>

#include "rows.hpp"

namespace vireo::bench::xenstore {

std::string path_of(int node) { return fmt::format("/bench/{}/{}", node / 100, node); }

namespace {

std::vector<std::string> draw(std::size_t count, int nodes, unsigned seed) {
  std::vector<std::string> out;
  out.reserve(count);
  std::mt19937 dice(seed);
  while (out.size() < count) out.push_back(path_of(static_cast<int>(dice() % static_cast<unsigned>(nodes))));
  return out;
}

}  // namespace

std::vector<std::string> some_paths(int nodes) {
  const auto few = draw(100, nodes, 1);
  std::vector<std::string> out;
  out.reserve(5'000);
  std::mt19937 dice(2);
  while (out.size() < 5'000) out.push_back(few[dice() % few.size()]);
  return out;
}

std::vector<std::string> paths_all_over(int nodes) { return draw(10'000, nodes, 3); }

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
