// Guests of a simulated host in a tree: which commits their changes make, who is announced when, what clients may not
// touch, and what they can ask. Here the core's thread is the tree's, too.
#include "daemon/tree_guests.hpp"

#include <cerrno>

#include "tests/core/sim_host.hpp"

namespace vireo::tests {
namespace {

using Strings = std::vector<std::string>;

tree::Path at(std::string_view text) { return tree::Path::parse(text).value(); }

struct TreeGuests : ::testing::Test {
  SimHost sim;
  tree::Store store;
  Strings announced, asked;
  daemon::TreeGuests guests{
      store,
      {.introduce = [this](tree::DomainId id) { announced.push_back(fmt::format("came {}", id)); },
       .release = [this](tree::DomainId id) { announced.push_back(fmt::format("went {}", id)); },
       .ask =
           [this](tree::DomainId id, const daemon::TreeGuests::Guest& guest, presence::Request request,
                  const std::string& word) {
             const auto* what = request == presence::Request::reboot ? "reboot" : "shutdown";
             asked.push_back(fmt::format("{} {} {} by {}", what, id, guest.name, word));
           }}};
  std::uint64_t commits = 0;
  // Every value that a node has had, by its path.
  std::map<std::string, Strings, std::less<>> history;
  model::DomainDef def = definition("web");

  template <class Do>
  auto on_tree(Do something) {
    return sim.on_core(std::move(something));
  }
  void SetUp() override {
    on_tree([this] {
      store.listen([this](const tree::Commit& commit) {
        ++commits;
        for (const auto& change : commit.changes)
          if (change.kind == tree::Change::Kind::written)
            history[std::string(change.path.text())].emplace_back(tree::find(commit.root, change.path)->value());
      });
      sim.host.registry.observe([this](const auto& before, const auto& after) { guests.changed(before, after); });
    });
  }
  void TearDown() override {
    on_tree([this] { sim.host.registry.observe({}); });
  }
  // Empty: no such node.
  std::optional<std::string> read(const std::string& path) {
    return on_tree([this, &path]() -> std::optional<std::string> {
      const auto* node = store.find(at(path));
      return node ? std::optional(std::string(node->value())) : std::nullopt;
    });
  }
  int write(const std::string& path, const std::string& value) {
    return on_tree([&] {
      const auto done = store.write({}, nullptr, at(path), value);
      return done ? 0 : done.error();
    });
  }
  int remove(const std::string& path) {
    return on_tree([&] {
      const auto done = store.remove({}, nullptr, at(path));
      return done ? 0 : done.error();
    });
  }
  void start() {
    if (!sim.see(ref_of(def))) ASSERT_TRUE(sim.run(core::define(sim.host, def)));
    ASSERT_TRUE(sim.run(core::start(sim.host, ref_of(def), {})));
    sim.settle();
  }
  void destroy() {
    ASSERT_TRUE(sim.run(core::destroy(sim.host, ref_of(def), false)));
    sim.settle();
  }
  std::string home() { return fmt::format("/local/domain/{}", sim.see(ref_of(def))->id); }
  std::string vm() { return "/vm/" + def.uuid.text(); }
};

TEST_F(TreeGuests, ALifeIsSeenInOrder) {
  start();
  const auto home_path = home();
  const auto id = home_path.substr(home_path.rfind('/') + 1);
  EXPECT_EQ(read(home_path + "/name"), "web");
  EXPECT_EQ(read(home_path + "/vm"), vm());
  EXPECT_EQ(read(vm() + "/name"), "web");
  EXPECT_EQ(commits, 1U);  // one question's worth: no watcher ever sees half a guest
  ASSERT_TRUE(sim.run(core::suspend(sim.host, ref_of(def))));
  sim.settle();
  EXPECT_EQ(commits, 2U);
  ASSERT_TRUE(sim.run(core::resume(sim.host, ref_of(def))));
  sim.settle();
  destroy();
  EXPECT_EQ(history[home_path + "/state"], (Strings{"running", "paused", "running"}));
  EXPECT_EQ(history[home_path + "/name"], Strings{"web"});  // what did not change was not written again
  EXPECT_EQ(announced, (Strings{"came " + id, "went " + id}));
  EXPECT_EQ(read(home_path), std::nullopt);
  EXPECT_EQ(read(vm()), std::nullopt);
}

TEST_F(TreeGuests, TheNextLifeHasAnotherHome) {
  start();
  const auto first = home();
  destroy();
  ASSERT_TRUE(sim.run(core::rename(sim.host, ref_of(def), "www")));
  def.name = "www";
  start();
  EXPECT_NE(home(), first);
  EXPECT_EQ(read(home() + "/name"), "www");
  EXPECT_EQ(read(vm() + "/name"), "www");
  EXPECT_EQ(announced.size(), 3U);
}

TEST_F(TreeGuests, WhatIsTheGuestsIsKeptFromClients) {
  start();
  EXPECT_EQ(write(home() + "/name", "mine"), EROFS);
  EXPECT_EQ(write(vm() + "/name", "mine"), EROFS);
  EXPECT_EQ(remove("/local/domain"), EROFS);
  EXPECT_EQ(write("/local/domain/12345/name", "mine"), 0);
  EXPECT_EQ(write(home() + "/data/note", "mine"), 0);
  ASSERT_TRUE(sim.run(core::suspend(sim.host, ref_of(def))));
  sim.settle();
  EXPECT_EQ(read(home() + "/data/note"), "mine");
  const auto was = home();
  destroy();
  EXPECT_EQ(read(was + "/data/note"), std::nullopt);
  EXPECT_EQ(write(was + "/name", "mine"), 0);  // nobody's any more
}

TEST_F(TreeGuests, PermissionsAreAsXensGuestsHaveThem) {
  start();
  const auto id = static_cast<tree::DomainId>(sim.see(ref_of(def))->id);
  const tree::Caller itself{.domain = id}, another{.domain = id + 1};
  const auto name = home() + "/name", data = home() + "/data/x", machine = vm() + "/name";
  on_tree([&] {
    EXPECT_TRUE(store.read(itself, nullptr, at(name)));
    EXPECT_EQ(store.read(another, nullptr, at(name)).error(), EACCES);
    EXPECT_EQ(store.read(itself, nullptr, at(machine)).error(), EACCES);
    EXPECT_TRUE(store.write(itself, nullptr, at(data), "1"));
    EXPECT_EQ(store.write(another, nullptr, at(data), "1").error(), EACCES);
    EXPECT_EQ(store.write(itself, nullptr, at(name), "1").error(), EROFS);
  });
}

TEST_F(TreeGuests, LeftoversMakeRoomForAGuest) {
  start();
  const auto next = fmt::format("/local/domain/{}", sim.see(ref_of(def))->id + 1);
  EXPECT_EQ(write(next + "/junk", "old"), 0);
  EXPECT_EQ(write(next + "/control/shutdown", "poweroff"), 0);
  destroy();
  start();
  ASSERT_EQ(home(), next);
  EXPECT_EQ(read(next + "/junk"), std::nullopt);
  EXPECT_EQ(read(next + "/control/shutdown"), "");
  EXPECT_EQ(asked, Strings{});  // nobody was there to be asked
}

TEST_F(TreeGuests, RequestsAreCarriedOutOneAtATime) {
  start();
  const auto id = sim.see(ref_of(def))->id;
  const auto path = home() + "/control/shutdown";
  EXPECT_EQ(write(path, "suspend"), EINVAL);
  EXPECT_EQ(write(path, "poweroff"), 0);
  EXPECT_EQ(asked, Strings{fmt::format("shutdown {} web by poweroff", id)});
  // While it is carried out others wait, and the last of them is the next.
  for (const auto* word : {"poweroff", "halt", "reboot"}) EXPECT_EQ(write(path, word), 0);
  EXPECT_EQ(asked.size(), 1U);
  on_tree([&] { guests.acknowledge(static_cast<tree::DomainId>(id), "poweroff"); });
  EXPECT_EQ(read(path), "reboot");
  EXPECT_EQ(asked.size(), 2U);
  on_tree([&] { guests.acknowledge(static_cast<tree::DomainId>(id), "reboot"); });
  EXPECT_EQ(read(path), "");
  EXPECT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked.back(), fmt::format("reboot {} web by reboot", id));
  EXPECT_EQ(write(path, "reboot"), 0);
  EXPECT_EQ(asked.size(), 3U);
  destroy();
  on_tree([&] { guests.acknowledge(static_cast<tree::DomainId>(id), ""); });
  EXPECT_EQ(read(path), std::nullopt);  // a guest that has gone is not brought back
}

TEST_F(TreeGuests, ATransactionThatAsksIsHeardWhenItCommits) {
  start();
  const auto path = home() + "/control/shutdown";
  on_tree([&] {
    auto transaction = store.begin({});
    EXPECT_TRUE(store.write({}, transaction.get(), at(path), "halt"));
    EXPECT_EQ(asked.size(), 0U);
    EXPECT_TRUE(store.commit(std::move(transaction)));
    EXPECT_EQ(asked.size(), 1U);
  });
}

// A transaction that began before a guest was there must not change it now.
TEST_F(TreeGuests, ATransactionFromBeforeTheGuest) {
  start();
  const auto next = fmt::format("/local/domain/{}/name", sim.see(ref_of(def))->id + 1);
  destroy();
  std::unique_ptr<tree::Transaction> transaction;
  on_tree([&] {
    transaction = store.begin({});
    EXPECT_TRUE(store.write({}, transaction.get(), at(next), "mine"));
  });
  start();
  on_tree([&] { EXPECT_EQ(store.commit(std::move(transaction)).error(), EAGAIN); });
  EXPECT_EQ(read(next), "web");
}

}  // namespace
}  // namespace vireo::tests
