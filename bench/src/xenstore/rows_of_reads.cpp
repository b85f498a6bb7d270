// Rows of reading: what transactions add to it, long child lists, and many connections that say nothing. See rows.hpp.
#include <sys/resource.h>
#include <xen/io/xs_wire.h>

#include "rows.hpp"

namespace vireo::bench::xenstore {
namespace {

constexpr int nodes = 10'000;
constexpr std::size_t reads = 30, descriptions = 5;

enum class Transactions : std::uint8_t { none, one, each };

// A guest is described by 30 reads. One description is an operation.
Sample describe(Contender& contender, const std::vector<std::string>& paths, Transactions transactions) {
  auto& client = *contender.client;
  return timed(contender, descriptions, [&] {
    for (std::size_t description = 0; description < descriptions; ++description) {
      std::uint32_t transaction = transactions == Transactions::one ? client.begin() : 0;
      for (std::size_t i = 0; i < reads; ++i) {
        if (transactions == Transactions::each) transaction = client.begin();
        client.get(XS_READ, transaction, paths[(description * reads + i) % paths.size()]);
        if (transactions == Transactions::each) client.commit(transaction);
      }
      if (transactions == Transactions::one) client.commit(transaction);
    }
  });
}

constexpr int children = 1'000;

// Numbers as names make a list that just fits a frame, others one that does not.
void make_children(Contender& contender, std::string_view prefix) {
  std::vector<std::string> paths;
  paths.reserve(children);
  for (int i = 0; i < children; ++i) paths.push_back(fmt::format("/children/{}{}", prefix, i));
  ask_all(*contender.client, paths, XS_MKDIR);
}

void remove_children(Contender& contender) { contender.client->get(XS_RM, 0, "/children"); }

// As libxenstore does it: all at once, and where that is too long in parts. It takes no frame that is longer than the
// protocol allows, such as oxenstored sends, which knows no parts.
std::size_t list(Client& client, std::string_view path) {
  const auto whole = client.ask(XS_DIRECTORY, 0, path);
  if (whole.payload.size() > XENSTORE_PAYLOAD_MAX)
    throw Unable("a frame longer than the protocol allows, which libxenstore refuses");
  if (!whole.is_error()) return static_cast<std::size_t>(std::ranges::count(whole.payload, '\0'));
  if (!whole.is_error("E2BIG")) throw Broken("a child list was refused");
  std::string names;
  for (;;) {
    auto part = client.get(XS_DIRECTORY_PART, 0, path, fmt::format("{}{}", names.size(), '\0')).payload;
    part.remove_prefix(part.find('\0') + 1);  // the generation
    // The last part ends with one empty name more.
    const bool last = part == std::string_view("\0", 1) || part.ends_with(std::string_view("\0\0", 2));
    names += last ? part.substr(0, part.size() - 1) : part;
    if (last) return static_cast<std::size_t>(std::ranges::count(names, '\0'));
  }
}

Sample directory(Contender& contender) {
  constexpr std::size_t lists = 20;
  return timed(contender, lists, [&] {
    for (std::size_t i = 0; i < lists; ++i)
      if (const auto got = list(*contender.client, "/children"); got != children)
        throw Broken(fmt::format("listed {} children instead of {}", got, children));
  });
}

Sample pipelined_reads(Contender& contender, const std::vector<std::string>& paths) {
  return timed(contender, paths.size(), [&] { ask_all(*contender.client, paths, XS_READ); });
}

void connect_idle(Contender& contender) {
  const rlimit many{.rlim_cur = 8'192, .rlim_max = 8'192};
  ::setrlimit(RLIMIT_NOFILE, &many);
  for (int i = 0; i < 500; ++i) contender.others.emplace_back(contender.socket);
}

}  // namespace

std::vector<Row> rows_of_reads() {
  const auto paths = some_paths(nodes);
  std::vector<Row> out;
  const auto describing = [&paths](Transactions transactions) {
    return [=](Contender& contender) { return describe(contender, paths, transactions); };
  };
  out.push_back({.name = "30 reads in 30 transactions", .round = describing(Transactions::each)});
  out.push_back({.name = "30 reads in one transaction", .round = describing(Transactions::one)});
  out.push_back({.name = "30 reads in none", .round = describing(Transactions::none)});
  for (const auto& [name, prefix] :
       {std::pair("list of 1,000 children, 3.9 kB", ""), {"list of 1,000 children, 9.9 kB", "child-"}})
    out.push_back({.name = name,
                   .round = directory,
                   .has_floor = false,
                   .prepare = [prefix](Contender& contender) { make_children(contender, prefix); },
                   .finish = remove_children});
  out.push_back({.name = "read, 32 deep, 500 idle connections",
                 .round = [=](Contender& contender) { return pipelined_reads(contender, paths); },
                 .rounds = 7,
                 .pipelined = true,
                 .prepare = connect_idle,
                 .finish = [](Contender& contender) { contender.others.clear(); }});
  return out;
}

}  // namespace vireo::bench::xenstore
