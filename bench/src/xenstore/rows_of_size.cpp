// Rows that show what the number of nodes in the tree costs. See rows.hpp.
#include <xen/io/xs_wire.h>

#include "rows.hpp"

namespace vireo::bench::xenstore {
namespace {

constexpr std::string_view value = "another.";

// One request at a time: `round_trips` of them are an operation.
template <class Operation>
Sample one_at_a_time(Contender& contender, const std::vector<std::string>& paths, std::size_t operations,
                     Operation operation) {
  return timed(contender, operations, [&] {
    for (std::size_t i = 0; i < operations; ++i) operation(*contender.client, paths[i % paths.size()]);
  });
}

// Each path twice, and only the second time counts: the first brings back what the other servers have driven from the
// processor's caches.
Sample pipelined(Contender& contender, const std::vector<std::string>& paths, std::uint32_t type,
                 std::string_view rest) {
  ask_all(*contender.client, paths, type, rest);
  return timed(contender, paths.size(), [&] { ask_all(*contender.client, paths, type, rest); });
}

// 5,000 nodes made in one transaction, 32 requests in a write; removed again without being timed.
Sample large_transaction(Contender& contender) {
  constexpr int writes = 5'000, depth = 32;
  auto& client = *contender.client;
  std::vector<std::string> paths;
  paths.reserve(writes);
  for (int i = 0; i < writes; ++i) paths.push_back(fmt::format("/large/{}/{}", i / 100, i));
  auto sample = timed(contender, writes, [&] {
    const auto transaction = client.begin();
    for (int first = 0; first < writes; first += depth) {
      const int last = std::min(first + depth, writes);
      for (int i = first; i < last; ++i) client.put(XS_WRITE, transaction, paths[static_cast<std::size_t>(i)], value);
      client.send();
      for (int i = first; i < last; ++i) client.good_answer();
    }
    if (!client.commit(transaction)) throw Broken("a transaction lost although nobody else was there");
  });
  client.get(XS_RM, 0, "/large");
  return sample;
}

}  // namespace

std::vector<Row> rows_of_size(int nodes) {
  const auto paths = some_paths(nodes);
  const auto named = [nodes](std::string_view what) { return fmt::format("{}, {} nodes", what, nodes); };
  std::vector<Row> out;
  out.push_back({.name = named("read"), .round = [=](Contender& contender) {
                   return one_at_a_time(contender, paths, 150,
                                        [](Client& client, const std::string& path) { client.get(XS_READ, 0, path); });
                 }});
  out.push_back({.name = named("write"), .round = [=](Contender& contender) {
                   return one_at_a_time(contender, paths, 150, [](Client& client, const std::string& path) {
                     client.get(XS_WRITE, 0, path, value);
                   });
                 }});
  out.push_back({.name = named("read, 32 deep"),
                 .round = [=](Contender& contender) { return pipelined(contender, paths, XS_READ, {}); },
                 .rounds = 7,
                 .pipelined = true});
  out.push_back({.name = named("write, 32 deep"),
                 .round = [=](Contender& contender) { return pipelined(contender, paths, XS_WRITE, value); },
                 .rounds = 7,
                 .pipelined = true});
  // With many nodes this is what memory costs that no cache holds.
  out.push_back(
      {.name = named("read all over, 32 deep"),
       .round = [all = paths_all_over(nodes)](Contender& contender) { return pipelined(contender, all, XS_READ, {}); },
       .rounds = 7,
       .pipelined = true});
  out.push_back({.name = named("transaction of one write"), .round = [=](Contender& contender) {
                   return one_at_a_time(contender, paths, 60, [](Client& client, const std::string& path) {
                     const auto transaction = client.begin();
                     client.get(XS_WRITE, transaction, path, value);
                     if (!client.commit(transaction)) throw Broken("a transaction lost although nobody else was there");
                   });
                 }});
  out.push_back({.name = named("create and remove"), .round = [=](Contender& contender) {
                   return one_at_a_time(contender, paths, 80, [](Client& client, const std::string& path) {
                     const auto made = path + "-new";
                     client.get(XS_WRITE, 0, made, value);
                     client.get(XS_RM, 0, made);
                   });
                 }});
  out.push_back(
      {.name = named("write, 5,000 in a transaction"), .round = large_transaction, .rounds = 3, .has_floor = false});
  return out;
}

}  // namespace vireo::bench::xenstore
