// What the rounds of a row come to, for each contender. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"

namespace vireo::bench::xenstore {

// Medians over the rounds, for an operation.
struct Figures {
  double wall_us = 0;
  double server_us = 0;
  std::optional<double> conflicts = {};  // for a commit
  std::optional<double> bytes = {};      // for a node
};

struct RowResult {
  std::string name;
  bool pipelined = false;
  std::vector<std::optional<Figures>> of;  // in the order of the contenders; empty where there is none
};

struct Results {
  std::vector<std::string> contenders;
  std::vector<RowResult> rows;

  // The lines of one row: time by the client's clock, the server's processor time, and what else there is; then by how
  // much each other contender takes longer than Vireo.
  std::string head() const;
  std::string lines(const RowResult& row) const;
  Result<void> write_json(const std::string& path) const;

  const Figures* find(std::string_view row, std::string_view contender) const;
};

// One line for each of the aims: met or missed, with the figures. Empty where Vireo was not measured.
std::string aims(const Results& results);

}  // namespace vireo::bench::xenstore
