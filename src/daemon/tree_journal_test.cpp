// The journal beside the tree: whatever happens meanwhile, the store goes from one version that the tree had to a later
// one, and what the tree is restored from is what it was.
#include "daemon/tree_journal.hpp"

#include <gtest/gtest.h>

#include <random>

#include "base/fault.hpp"
#include "base/log.hpp"
#include "base/test_files.hpp"
#include "persist/sqlite_tree_store.hpp"

namespace vireo::daemon {
namespace {

using namespace std::chrono_literals;
using tree::Path, tree::Store;

// By path, values and permissions: "VALUE r0 b3".
using Content = std::map<std::string, std::string>;

bool is_guests(Path path) { return Path::parse("/guests")->holds(path); }

Path at(std::string_view path) { return *Path::parse(path); }

void collect(const tree::Node& node, const std::string& path, Content& content) {
  if (is_guests(at(path))) return;
  std::string text(node.value());
  for (const auto& permission : node.permissions()) text += " " + permission.text();
  content.emplace(path, text);
  const tree::Listing listing(node);
  std::string room;
  for (auto names = listing.names(0, listing.bytes(), room); !names.empty();) {
    const auto name = names.substr(0, names.find('\0'));
    names.remove_prefix(name.size() + 1);
    collect(*node.child(name), (path == "/" ? "" : path) + "/" + std::string(name), content);
  }
}

Content content_of(const Store& store) {
  Content content;
  collect(store.root(), "/", content);
  return content;
}

// In memory, by the words of the port.
class FakeStore final : public ports::TreeStore {
 public:
  Result<void> load(const std::function<void(const ports::StoredNode&)>& node) override {
    for (const auto& [path, each] : nodes) node(each);
    return {};
  }
  Result<void> append(const NextPart& next) override {
    if (auto possible = fault::at("fake.append"); !possible) return possible;
    if (failing) return fail(VIR_ERR_INTERNAL_ERROR, "no room on the disk");
    std::size_t size = 0;
    for (ports::TreeBatch part; next(part); part = {}) {
      for (const auto& path : part.removed)
        std::erase_if(nodes, [&](const auto& each) { return at(path).holds(at(each.first)); });
      for (const auto& node : part.written) nodes[node.path] = node;
      size += part.written.size();
    }
    sizes.push_back(size);
    return {};
  }

  std::map<std::string, ports::StoredNode> nodes;
  std::vector<std::size_t> sizes;  // nodes of each batch
  bool failing = false;
};

TEST(TreeNotes, AreASetOfPaths) {
  std::minstd_rand dice(1);
  TreeNotes notes;
  std::map<std::string, bool> expected;
  for (int i = 0; i < 20'000; ++i) {
    const auto path = "/" + std::string(dice() % 50, 'x') + std::to_string(dice() % 3'000);
    const bool removed = dice() % 4 == 0;
    notes.add(path, removed);
    expected[path] |= removed;
  }
  EXPECT_EQ(notes.size(), expected.size());
  std::map<std::string, bool> found;
  for (const auto place : notes.places())
    EXPECT_TRUE(found.emplace(notes.at(place).path, notes.at(place).removed).second);
  EXPECT_EQ(found, expected);
}

// Everything on one thread and on virtual time; the store takes `delay` for a batch.
class JournalTest : public ::testing::Test {
 protected:
  JournalTest() { spdlog::set_level(spdlog::level::off); }
  ~JournalTest() override {
    time_.drop_all();
    spdlog::set_level(spdlog::level::info);
  }

  void begin(TreeJournal::Mode mode, std::size_t most_noted_bytes = 1 << 20) {
    journal_.emplace(io_.get_executor(), *tree_, store_, workers_,
                     TreeJournal::Options{.mode = mode, .leave_out = is_guests, .most_noted_bytes = most_noted_bytes});
    ASSERT_TRUE(journal_->restore());
    journal_->start();
    drain();
  }
  void drain() {
    io_.restart();
    while (io_.poll() > 0) io_.restart();
  }
  void pass(SteadyClock::duration span) {
    const auto until = SteadyClock::now() + span;
    for (drain(); time_.next() && *time_.next() <= until; drain()) time_.step();
    time_.pass_to(until);
  }
  void write(const char* path, std::string_view value) { ASSERT_TRUE(tree_->write({}, nullptr, at(path), value)); }
  void remove(const char* path) { ASSERT_TRUE(tree_->remove({}, nullptr, at(path))); }
  // What a tree that is restored from the store would hold.
  Content restored() {
    Store other;
    TreeJournal journal(io_.get_executor(), other, store_, workers_, {.leave_out = is_guests});
    EXPECT_TRUE(journal.restore());
    return content_of(other);
  }

  VirtualTime time_;
  asio::io_context io_;
  SteadyClock::duration delay_ = 0ms;
  Workers workers_{"tree-journal", Workers::Inline{.delay = [this] { return delay_; }}};
  std::unique_ptr<Store> tree_ = std::make_unique<Store>();
  FakeStore store_;
  std::optional<TreeJournal> journal_;
};

TEST_F(JournalTest, WhatIsRestoredIsWhatWasThere) {
  begin(TreeJournal::Mode::behind);
  ASSERT_TRUE(tree_->set_permissions(
      {}, nullptr, Path::root(),
      {{.domain = 0, .rights = tree::Rights::none}, {.domain = 9, .rights = tree::Rights::both}}));
  write("/a/b/c", std::string_view("\0\xff", 2));
  ASSERT_TRUE(tree_->set_permissions({}, nullptr, at("/a/b"), {{.domain = 7, .rights = tree::Rights::read}}));
  write("/a/b/d", "inherits");
  write("/guests/3/name", "web");
  pass(1s);
  const auto content = content_of(*tree_);
  EXPECT_EQ(restored(), content);
  EXPECT_TRUE(std::ranges::none_of(store_.nodes, [](const auto& each) { return each.first.starts_with("/guests"); }));
  // Nodes made together share their permissions again; only where they differ are they set.
  Store other;
  std::size_t permissions = 0;
  other.listen([&](const tree::Commit& commit) {
    for (const auto& change : commit.changes) permissions += change.kind == tree::Change::Kind::permissions;
  });
  TreeJournal journal(io_.get_executor(), other, store_, workers_, {.leave_out = is_guests});
  ASSERT_TRUE(journal.restore());
  EXPECT_EQ(permissions, 3U);
}

TEST_F(JournalTest, WhatCannotBeReadIsLeftOut) {
  const std::string longest(5000, 'x');
  for (const auto& [path, value, permissions] :
       {std::tuple("/a//b", "", "n0"), std::tuple("nothing", "", "n0"), std::tuple("/a", "", ""),
        std::tuple("/a", "", "n0 x"), std::tuple("/long", longest.c_str(), "n0"), std::tuple("/guests/1", "", "n0"),
        std::tuple("/good", "1", "n0 r5")})
    store_.nodes[std::string(path) + permissions] = {.path = path, .value = value, .permissions = permissions};
  begin(TreeJournal::Mode::behind);
  EXPECT_EQ(content_of(*tree_), (Content{{"/", " n0"}, {"/good", "1 n0 r5"}}));
}

TEST_F(JournalTest, ManyWritesOfAPeriodAreOneBatchOfTheNewestValues) {
  begin(TreeJournal::Mode::behind);
  for (int i = 0; i < 1000; ++i) {
    write("/a/x", std::to_string(i));
    write("/a/y", std::to_string(i));
    if (i % 10 == 0) pass(1ms);  // 100 ms in all
  }
  pass(1s);
  // At once for the first, then at most one in 100 ms.
  ASSERT_GE(store_.sizes.size(), 2U);
  EXPECT_LE(store_.sizes.size(), 3U);
  EXPECT_EQ(store_.sizes.back(), 3U) << "two nodes and their parent";
  EXPECT_EQ(restored(), content_of(*tree_));
  pass(1h);
  EXPECT_LE(store_.sizes.size(), 3U) << "nothing is written where nothing changes";
}

TEST_F(JournalTest, WhatIsRemovedAndMadeAnewLosesWhatItHad) {
  begin(TreeJournal::Mode::behind);
  write("/a/b/c", "1");
  write("/ab", "beside");
  pass(1s);
  remove("/a");
  write("/a/d", "2");
  pass(1s);
  EXPECT_EQ(restored(), content_of(*tree_));
  // Made and gone within one period, but for a parent.
  write("/e/f/g", "3");
  remove("/e/f");
  pass(1s);
  EXPECT_EQ(restored(), content_of(*tree_));
}

TEST_F(JournalTest, TooManyNotesBecomeTheWholeTree) {
  begin(TreeJournal::Mode::behind, 1000);
  write("/before", "1");
  write("/gone", "1");
  pass(1s);
  store_.failing = true;
  remove("/gone");
  write("/guests/1", "never");
  for (int i = 0; i < 1000; ++i) write(fmt::format("/many/{}", i).c_str(), "x");
  for (int i = 0; i < 900; ++i) remove(fmt::format("/many/{}", i).c_str());
  pass(1s);
  EXPECT_LE(journal_->figures().noted, 20U);
  for (int i = 0; i < 1000; ++i) write(fmt::format("/more/{}", i).c_str(), "x");
  store_.failing = false;
  pass(1min);
  EXPECT_EQ(restored(), content_of(*tree_));
  EXPECT_EQ(restored().size(), 1U + 1 + 1 + 100 + 1 + 1000);
  EXPECT_FALSE(store_.nodes.contains("/guests/1"));
}

// To fill a batch takes time, and others have their turns meanwhile.
class Turns : public JournalTest, public ::testing::WithParamInterface<std::size_t> {};

TEST_P(Turns, ABatchIsOfOneVersionHoweverLongItTakes) {
  begin(TreeJournal::Mode::sync, GetParam());
  for (int round = 0; round < 50; ++round) {
    auto transaction = tree_->begin({});
    for (int i = 0; i < 1000; ++i)
      ASSERT_TRUE(tree_->write({}, transaction.get(), at("/n/" + std::to_string(i)), std::to_string(round)));
    ASSERT_TRUE(tree_->commit(std::move(transaction)));
    for (int i = 0; i < round % 7; ++i) {
      io_.restart();
      if (io_.poll_one() == 0 && time_.waiting() > 0) time_.step();
    }
    std::set<std::string> values;
    for (const auto& [path, node] : store_.nodes)
      if (path.starts_with("/n/")) values.insert(node.value);
    ASSERT_LE(values.size(), 1U) << "in round " << round;
  }
  pass(1s);
  EXPECT_EQ(restored(), content_of(*tree_));
  EXPECT_GE(store_.sizes.size(), 5U);
}

INSTANTIATE_TEST_SUITE_P(NotedOrWhole, Turns, ::testing::Values(1 << 20, 1000));

TEST_F(JournalTest, InModeBehindNobodyWaitsForTheDisk) {
  delay_ = 1h;
  begin(TreeJournal::Mode::behind);
  write("/a", "1");
  bool settled = false;
  journal_->settle([&] { settled = true; });
  EXPECT_TRUE(settled);
}

TEST_F(JournalTest, InModeSyncChangesWaitUntilTheyAreDurable) {
  delay_ = 10ms;
  begin(TreeJournal::Mode::sync);
  std::vector<std::string> answered;
  const auto settle = [&](const std::string& who, const char* path) {
    journal_->settle([&, who, path] {
      EXPECT_TRUE(!*path || store_.nodes.contains(path)) << who << " was told too early";
      answered.push_back(who);
    });
  };
  settle("nothing changed", "");
  EXPECT_EQ(answered.size(), 1U);
  write("/a", "1");
  settle("first", "/a");
  pass(5ms);
  // While the first is being written: all these go together.
  for (int i = 0; i < 100; ++i) {
    const auto path = "/b" + std::to_string(i);
    write(path.c_str(), "1");
    journal_->settle([&, path] {
      EXPECT_TRUE(store_.nodes.contains(path));
      answered.push_back(path);
    });
  }
  EXPECT_EQ(journal_->figures().held, 101U);
  EXPECT_EQ(answered.size(), 1U);
  pass(6ms);
  EXPECT_EQ(answered.size(), 2U);
  pass(11ms);
  EXPECT_EQ(answered.size(), 102U);
  EXPECT_EQ(answered.back(), "/b99") << "in the order of the changes";
  EXPECT_EQ(store_.sizes, (std::vector<std::size_t>{1, 100}));
  // Of guests nothing is kept, so nothing is waited for.
  write("/guests/1/name", "web");
  settle("a guest", "");
  EXPECT_EQ(answered.size(), 103U);
  EXPECT_EQ(journal_->figures().held, 0U);
}

TEST_F(JournalTest, WhileTheDiskFailsNothingIsAcknowledged) {
  begin(TreeJournal::Mode::sync);
  store_.failing = true;
  write("/a", "1");
  int answered = 0;
  journal_->settle([&] { ++answered; });
  pass(1min);
  write("/a", "2");
  journal_->settle([&] { ++answered; });
  pass(1min);
  EXPECT_EQ(answered, 0);
  EXPECT_GE(journal_->figures().failures, 60U);
  EXPECT_LE(journal_->figures().failures, 130U) << "it is not asked without a pause";
  store_.failing = false;
  pass(2s);
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(restored(), content_of(*tree_));
}

TEST_F(JournalTest, ADiskThatHangsIsWaitedFor) {
  begin(TreeJournal::Mode::sync);
  fault::Armed armed({.name = "fake.append", .nth = 1});
  delay_ = 5min;
  write("/a", "1");
  int answered = 0;
  journal_->settle([&] { ++answered; });
  pass(6min);
  EXPECT_EQ(answered, 0);
  pass(10min);
  EXPECT_EQ(answered, 1);
  EXPECT_TRUE(armed.hit());
}

TEST_F(JournalTest, TheEndWritesWhatIsLeft) {
  begin(TreeJournal::Mode::behind);
  write("/a", "1");
  pass(1ms);
  write("/a", "2");
  std::optional<bool> finished;
  const auto finish = [&](SteadyClock::duration patience) {
    finished.reset();
    asio::co_spawn(io_, journal_->finish(Deadline::in(patience)),
                   [&](const std::exception_ptr&, bool all) { finished = all; });
  };
  finish(1s);
  pass(1ms);
  EXPECT_EQ(finished, true);
  EXPECT_EQ(restored(), content_of(*tree_));
  store_.failing = true;
  write("/a", "3");
  finish(5s);
  pass(4s);
  EXPECT_FALSE(finished.has_value());
  pass(2s);
  EXPECT_EQ(finished, false);
}

// The store must hold, after each batch, what the tree held after some commit, and never an older one than before.
class Histories : public JournalTest, public ::testing::WithParamInterface<unsigned> {
 protected:
  std::string any_path() {
    std::string path;
    for (unsigned depth = 1 + dice_() % 3; depth > 0; --depth)
      path += "/" + std::string(1, "abcdefghijkl"[roll(few_ ? 3 : 12)]);
    return dice_() % 8 == 0 ? "/guests" + path : path;
  }
  unsigned roll(unsigned sides) { return static_cast<unsigned>(dice_()) % sides; }
  void change(tree::Transaction* in) {
    const auto path = any_path();
    // What cannot be done is refused, and is nothing for the journal to hear of.
    [[maybe_unused]] const auto done = [&]() -> tree::Outcome<void> {
      switch (dice_() % 8) {
        case 0:
        case 1:
          return tree_->remove({}, in, at(path));
        case 2:
          return tree_->set_permissions({}, in, at(path), {{.domain = roll(3), .rights = tree::Rights::read}});
        default:
          return tree_->write({}, in, at(path), std::to_string(dice_() % 100));
      }
    }();
  }
  void act() {
    switch (dice_() % 6) {
      case 0: {
        auto transaction = tree_->begin({});
        for (unsigned i = roll(1000); i > 0; --i) change(transaction.get());
        ASSERT_TRUE(tree_->commit(std::move(transaction)));
        break;
      }
      case 1:
      case 2:
        change(nullptr);
        break;
      case 3:
        store_.failing = dice_() % 4 == 0;
        break;
      case 4:
        io_.restart();
        io_.poll_one();  // the journal is anywhere
        break;
      default:
        pass(std::chrono::milliseconds(dice_() % 50));
        break;
    }
  }

  std::minstd_rand dice_{GetParam()};
  const bool few_ = roll(2) == 0;  // nodes: the same ones again and again, or so many that a batch takes several turns
};

TEST_P(Histories, TheStoreGoesFromVersionToVersion) {
  delay_ = std::chrono::milliseconds(dice_() % 3 * 7);
  begin(dice_() % 2 == 0 ? TreeJournal::Mode::sync : TreeJournal::Mode::behind, dice_() % 3 == 0 ? 3000 : 1 << 20);
  std::vector<Content> versions{content_of(*tree_)};
  tree_->listen([&](const tree::Commit&) { versions.push_back(content_of(*tree_)); });
  std::size_t known = 0, batches = 0;
  for (int i = 0; i < 300; ++i) {
    act();
    if (store_.sizes.size() == batches) continue;
    batches = store_.sizes.size();
    const auto now = restored();
    while (known < versions.size() && versions[known] != now) ++known;
    ASSERT_LT(known, versions.size()) << "a version that never was, after step " << i;
  }
  store_.failing = false;
  pass(10s);
  EXPECT_EQ(restored(), content_of(*tree_));
}

INSTANTIATE_TEST_SUITE_P(Seeds, Histories, ::testing::Range(1U, 25U));

// The same with the real store, threads and time.
class JournalOnDisk : public ::testing::Test {
 protected:
  auto open() const {
    return persist::SqliteTreeStore::open(path_, persist::SqliteTreeStore::Durable::at_once).value();
  }
  Content restored() {
    auto store = open();
    Store tree;
    EXPECT_TRUE(TreeJournal(io_.get_executor(), tree, *store, workers_, {.leave_out = is_guests}).restore());
    return content_of(tree);
  }

  const tests::Folder folder_;
  const std::string path_ = folder_.file("tree.db");
  asio::io_context io_;
  Workers workers_{"tree-journal", 1};
  Store tree_;
};

TEST_F(JournalOnDisk, KeepsWhatItAcknowledged) {
  auto store = open();
  TreeJournal journal(io_.get_executor(), tree_, *store, workers_,
                      {.mode = TreeJournal::Mode::sync, .leave_out = is_guests, .retry = 1ms});
  ASSERT_EQ(journal.restore(), 0U);
  journal.start();
  const fault::Armed armed({.name = "tree.commit", .nth = 3});
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(tree_.write({}, nullptr, at("/n/" + std::to_string(i)), std::to_string(i)));
    journal.settle([&] { ++answered; });
    while (answered <= i) io_.run_one();
    ASSERT_EQ(restored(), content_of(tree_));
  }
  EXPECT_TRUE(armed.hit());
  EXPECT_EQ(journal.figures().failures, 1U);
  workers_.stop();
}

TEST_F(JournalOnDisk, LooksIntoVersionsWhileTheTreeGoesOn) {
  auto store = open();
  std::minstd_rand dice(1);
  TreeJournal journal(io_.get_executor(), tree_, *store, workers_,
                      {.leave_out = is_guests, .period = 1ms, .most_noted_bytes = 20'000});
  journal.start();
  for (int i = 0; i < 30'000 || journal.figures().batches < 3; ++i) {
    const auto path = fmt::format("/{}/{}", dice() % 30, dice() % 30);
    if (dice() % 10 == 0) {
      ASSERT_TRUE(tree_.remove({}, nullptr, at(path).parent()));
    } else {
      ASSERT_TRUE(tree_.write({}, nullptr, at(path), std::to_string(i)));
    }
    if (dice() % 4 == 0) ASSERT_TRUE(tree_.list({}, nullptr, Path::root()).has_value());
    tree_.tidy(8);
    io_.poll();
  }
  auto all = asio::co_spawn(io_, journal.finish(Deadline::in(1min)), asio::use_future);
  while (all.wait_for(0s) != std::future_status::ready) io_.run_one();
  EXPECT_TRUE(all.get());
  EXPECT_EQ(restored(), content_of(tree_));
  workers_.stop();
}

}  // namespace
}  // namespace vireo::daemon
