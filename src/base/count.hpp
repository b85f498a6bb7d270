// Figures with names, as doors count what happens there: for whoever prints them.
#pragma once

#include <cstdint>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace vireo {

struct Count {
  std::string_view name;  // "clients_refused"; static
  std::uint64_t value = 0;
};

// Of a structure of counters, those that the table names, in its order: pairs of a name and a member with a value().
template <class Counters, class Names>
std::vector<Count> read_counts(const Counters& counters, const Names& names) {
  std::vector<Count> all;
  all.reserve(std::size(names));
  for (const auto& [name, counter] : names) all.push_back({.name = name, .value = (counters.*counter).value()});
  return all;
}

}  // namespace vireo
