// What is measured, as a list of rows: each is a piece of work that every contender is given in turn, round by round.
// The rows of a file have one subject; a row says what it needs before and leaves things as they were.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "contender.hpp"

namespace vireo::bench::xenstore {

// What a round took.
struct Sample {
  std::chrono::nanoseconds wall{};
  std::chrono::nanoseconds server{};  // processor time of the server's
  std::size_t operations = 1;
  std::optional<std::size_t> conflicts = {};  // commits that lost
  std::optional<double> bytes = {};           // for each node
};

struct Row {
  std::string name;
  std::function<Sample(Contender&)> round;
  int rounds = 21;        // short ones: where wake-ups are all there is, what else the machine does decides many
  bool has_floor = true;  // a server that does nothing could answer it
  bool pipelined = false;
  std::function<void(Contender&)> prepare = {};
  std::function<void(Contender&)> finish = {};
};

// Does it, and tells what it took: by the client's clock up to the last answer, and of the server's time also what it
// does right behind that. The kernel adds up a process's time when it stops to run, or at a tick.
template <class Work>
Sample timed(const Contender& contender, std::size_t operations, Work work) {
  const auto spent = contender.spent();
  const auto began = std::chrono::steady_clock::now();
  work();
  const auto wall = std::chrono::steady_clock::now() - began;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return {.wall = wall, .server = contender.spent() - spent, .operations = operations};
}

// The tree that rows work on: /bench/GROUP/NODE, 100 nodes in a group, each with a value of 8 bytes.
std::string path_of(int node);
// 5,000 paths that name 100 of its nodes, the same number in a tree of any size; or any of its nodes. Without pattern.
std::vector<std::string> some_paths(int nodes);
std::vector<std::string> paths_all_over(int nodes);
// A request for each path, 32 in a write, then their 32 answers.
void ask_all(Client& client, const std::vector<std::string>& paths, std::uint32_t type, std::string_view rest = {});
void fill(Contender& contender, int nodes);
void clear(Contender& contender);

// Reads and writes, transactions of one and of 5,000 writes, with so many nodes in the tree.
std::vector<Row> rows_of_size(int nodes);
// What does not depend on the size: with 10,000 nodes.
std::vector<Row> rows_of_reads();   // 30 reads in none, one and 30 transactions; child lists; idle connections
std::vector<Row> rows_of_crowds();  // 8 clients with transactions
std::vector<Row> rows_of_watches();
// From nothing to 100,000 nodes and back: to be measured first, on servers that are new.
std::vector<Row> rows_of_bulk();
// Removes the tree of 100,000 nodes.
std::vector<Row> rows_of_the_end();

}  // namespace vireo::bench::xenstore
