// Rows of 8 clients that have transactions at the same time. They go in step: all begin, all read, all write, all end,
// so that each transaction meets the 7 others; whoever loses begins anew. A committed transaction is an operation.
#include <xen/io/xs_wire.h>

#include <charconv>

#include "rows.hpp"

namespace vireo::bench::xenstore {
namespace {

constexpr std::size_t clients = 8, commits = 240;

struct Step {
  std::string read;  // nothing is read where it is empty
  std::string write;
};
// What a client's transaction does, by the client and by how many it has committed.
using Plan = Step (*)(std::size_t client, std::size_t committed);

Step disjoint(std::size_t client, std::size_t) {
  const auto path = fmt::format("/crowd/{}/own", client);
  return {.read = path, .write = path};
}
Step siblings(std::size_t client, std::size_t committed) {
  return {.read = {}, .write = fmt::format("/crowd/parent/{}-{}", client, committed)};
}
Step counter(std::size_t, std::size_t) { return {.read = "/crowd/counter", .write = "/crowd/counter"}; }

int number(std::string_view text) {
  int out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

struct Member {
  std::size_t committed = 0;
  std::uint32_t transaction = 0;
  Step step = {};
  int value = 0;
};

Sample crowd(Contender& contender, Plan plan) {
  std::array<Member, clients> members;
  std::size_t committed = 0, lost = 0;
  auto& others = contender.others;
  const auto all = [&](auto send, auto take) {
    for (std::size_t i = 0; i < clients; ++i) {
      send(others[i], members[i]);
      others[i].send();
    }
    for (std::size_t i = 0; i < clients; ++i) take(others[i], members[i]);
  };
  auto sample = timed(contender, commits, [&] {
    while (committed < commits) {
      for (std::size_t i = 0; i < clients; ++i) members[i].step = plan(i, members[i].committed);
      all([](Client& client, Member&) { client.put(XS_TRANSACTION_START, 0, ""); },
          [](Client& client, Member& member) {
            member.transaction = static_cast<std::uint32_t>(number(client.good_answer().payload));
          });
      if (!members[0].step.read.empty())
        all([](Client& client, Member& member) { client.put(XS_READ, member.transaction, member.step.read); },
            [](Client& client, Member& member) { member.value = number(client.good_answer().payload); });
      all(
          [](Client& client, Member& member) {
            client.put(XS_WRITE, member.transaction, member.step.write, fmt::format("{}", member.value + 1));
          },
          [](Client& client, Member&) { client.good_answer(); });
      all([](Client& client, Member& member) { client.put(XS_TRANSACTION_END, member.transaction, "T"); },
          [&](Client& client, Member& member) {
            const auto end = client.answer();
            if (end.is_error() && !end.is_error("EAGAIN")) throw Broken("a transaction ended with another error");
            end.is_error() ? ++lost : ++committed;
            if (!end.is_error()) ++member.committed;
          });
    }
  });
  sample.operations = committed;
  sample.conflicts = lost;
  return sample;
}

void gather(Contender& contender) {
  for (std::size_t i = 0; i < clients; ++i) {
    contender.others.emplace_back(contender.socket);
    contender.client->get(XS_WRITE, 0, fmt::format("/crowd/{}/own", i), "0");
  }
  contender.client->get(XS_WRITE, 0, "/crowd/parent", "");
}

void part(Contender& contender) {
  contender.others.clear();
  contender.client->get(XS_RM, 0, "/crowd");
}

// The counter's value shows whether every commit counted.
Sample count(Contender& contender) {
  contender.client->get(XS_WRITE, 0, "/crowd/counter", "0");
  auto sample = crowd(contender, counter);
  const auto value = number(contender.client->get(XS_READ, 0, "/crowd/counter").payload);
  if (static_cast<std::size_t>(value) != sample.operations)
    throw Broken(fmt::format("counted to {} in {} commits", value, sample.operations));
  return sample;
}

Sample make_siblings(Contender& contender) {
  auto sample = crowd(contender, siblings);
  contender.client->get(XS_RM, 0, "/crowd/parent");
  contender.client->get(XS_WRITE, 0, "/crowd/parent", "");
  return sample;
}

}  // namespace

std::vector<Row> rows_of_crowds() {
  const auto row = [](std::string name, std::function<Sample(Contender&)> round) {
    return Row{.name = std::move(name),
               .round = std::move(round),
               .rounds = 7,
               .has_floor = false,
               .prepare = gather,
               .finish = part};
  };
  std::vector<Row> out;
  out.push_back(row("8 clients, disjoint", [](Contender& contender) { return crowd(contender, disjoint); }));
  out.push_back(row("8 clients, siblings", make_siblings));
  out.push_back(row("8 clients, one counter", count));
  return out;
}

}  // namespace vireo::bench::xenstore
