// Who is told of what.
#include "tree/watches.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tree/store.hpp"

namespace vireo::tree {
namespace {

const Caller caller{};
Path at(std::string_view text) { return *Path::parse(text); }

struct WatchesTest : ::testing::Test {
  Store store;
  Watches watches;
  int one = 0, two = 0;
  std::string told;
  NodeRef removed;  // with the newest commit, if anything went

  WatchesTest() {
    store.listen([this](const Commit& commit) {
      auto all = watches.begin();
      EXPECT_TRUE(watches.match(commit.changes, all, 1000, tell()));
      watches.match_guarded(commit, tell());
      removed = commit.changes.front().gone;
    });
  }
  Watches::Found tell() {
    return [this](const Watch& watch, std::string_view path, const Node* gone) {
      told += watch.token + ":" + std::string(path) + (gone ? "- " : " ");
    };
  }
  void watch(std::string path, std::string token, std::optional<std::uint32_t> depth = {}) {
    ASSERT_TRUE(watches.add({.owner = &one, .path = std::move(path), .token = std::move(token), .depth = depth}));
  }
  std::string after(const std::function<void()>& change) {
    told.clear();
    change();
    return told;
  }
  std::string write(std::string_view path) {
    return after([&] { store.write(caller, nullptr, at(path), "v").value(); });
  }
  std::string remove(std::string_view path) {
    return after([&] { store.remove(caller, nullptr, at(path)).value(); });
  }
};

TEST_F(WatchesTest, HearOfTheirPathAndWhatIsBelow) {
  watch("/", "root");
  watch("/a", "a");
  watch("/a/b", "b");
  watch("/ab", "ab");
  EXPECT_EQ(write("/a/b/c"), "root:/a/b/c a:/a/b/c b:/a/b/c ");
  EXPECT_EQ(write("/a"), "root:/a a:/a ");
  EXPECT_EQ(write("/abc"), "root:/abc ");
  EXPECT_EQ(write("/"), "root:/ ");
}

TEST_F(WatchesTest, HearOfTheirOwnPathWhenItGoesWithAParent) {
  write("/a/b/c");
  write("/a/d");
  watch("/a", "a");
  watch("/a/b/c", "c");
  watch("/a/b/none", "none");
  watch("/a/d", "d");
  watch("/", "root");
  EXPECT_EQ(remove("/a/b"), "root:/a/b- a:/a/b- c:/a/b/c- ");
  EXPECT_EQ(remove("/a"), "root:/a- a:/a- d:/a/d- ");
}

TEST_F(WatchesTest, HearDownToTheirDepth) {
  watch("/a", "0", 0);
  watch("/a", "1", 1);
  watch("/", "r2", 2);
  EXPECT_EQ(write("/a"), "r2:/a 0:/a 1:/a ");
  EXPECT_EQ(write("/a/b"), "r2:/a/b 1:/a/b ");
  EXPECT_EQ(write("/a/b/c"), "");
}

TEST_F(WatchesTest, AreToldOncePerPathAndCommit) {
  write("/a/b");
  watch("/a/b", "b");
  watch("/a", "a");
  EXPECT_EQ(after([&] {
              auto in = store.begin(caller);
              store.remove(caller, in.get(), at("/a")).value();
              store.write(caller, in.get(), at("/a/b"), "1").value();
              store.write(caller, in.get(), at("/a/b"), "2").value();
              store.set_permissions(caller, in.get(), at("/a/b"), {{.domain = 1}}).value();
              EXPECT_EQ(told, "");
              store.commit(std::move(in)).value();
            }),
            "a:/a- b:/a/b- a:/a/b ");
}

TEST_F(WatchesTest, AreToldAPartAtATimeWhileOthersComeAndGo) {
  write("/a/b");
  for (const auto* token : {"1", "2", "3", "4"}) watch("/a", token);
  watch("/", "root");
  watch("/a/b", "below");
  watches.add({.owner = &two, .path = "/a", .token = "guarded", .guarded = true});
  const Change change{.path = at("/a/b")};
  told.clear();
  auto progress = watches.begin();
  EXPECT_FALSE(watches.match({&change, 1}, progress, 3, tell()));
  EXPECT_EQ(told, "root:/a/b 1:/a/b ");
  // One that was told and one that was not yet go; one that comes is told of what happens from now on.
  EXPECT_TRUE(watches.remove(&one, "/a", "1"));
  EXPECT_TRUE(watches.remove(&one, "/a", "3"));
  watch("/a", "5");
  watch("/a/b", "late");
  EXPECT_FALSE(watches.match({&change, 1}, progress, 2, tell()));
  EXPECT_EQ(told, "root:/a/b 1:/a/b 2:/a/b ");
  EXPECT_TRUE(watches.match({&change, 1}, progress, 100, tell()));
  EXPECT_EQ(told, "root:/a/b 1:/a/b 2:/a/b 4:/a/b below:/a/b ");
  EXPECT_EQ(write("/a"), "root:/a 2:/a 4:/a 5:/a guarded:/a ");
}

TEST_F(WatchesTest, BelowWhatIsGoneAreToldAPartAtATime) {
  for (const auto* path : {"/a/b/c", "/a/b/d", "/a/e", "/a/f/g"}) write(path);
  remove("/a");
  for (const auto* path : {"/a/b", "/a/b/c", "/a/b/d", "/a/e", "/a/f/g", "/a/none/of/these", "/a"}) {
    watch(path, "1");
    watch(path, "2");
  }
  const Change changes[] = {{.path = at("/a"), .kind = Change::Kind::removed, .gone = removed}, {.path = at("/a/e")}};
  const auto in_parts_of = [&](std::size_t most) {
    told.clear();
    auto progress = watches.begin();
    std::size_t parts = 1;
    while (!watches.match(changes, progress, most, tell())) ++parts;
    return parts;
  };
  EXPECT_EQ(in_parts_of(1000), 1U);
  const auto whole = told;
  EXPECT_EQ(whole,
            "1:/a- 2:/a- 1:/a/b- 2:/a/b- 1:/a/b/c- 2:/a/b/c- 1:/a/b/d- 2:/a/b/d- 1:/a/e- 2:/a/e- 1:/a/f/g- 2:/a/f/g- "
            "1:/a/e 2:/a/e ");
  for (std::size_t most = 2; most < 20; ++most) {
    EXPECT_GT(in_parts_of(most), 20 / most);
    EXPECT_EQ(told, whole) << "in parts of " << most;
  }
}

TEST_F(WatchesTest, BelowWhatIsGoneComeAndGoMeanwhile) {
  for (const auto* path : {"/a/b/c", "/a/d", "/a/e"}) write(path);
  remove("/a");
  for (const auto* path : {"/a/b", "/a/b/c", "/a/d", "/a/e"}) watch(path, "w");
  const Change change{.path = at("/a"), .kind = Change::Kind::removed, .gone = removed};
  const auto next_part = [&](Watches::Progress& progress) { return watches.match({&change, 1}, progress, 3, tell()); };
  auto progress = watches.begin();
  EXPECT_FALSE(next_part(progress));
  EXPECT_FALSE(next_part(progress));
  EXPECT_EQ(told, "w:/a/b- w:/a/b/c- ");
  // The place where it goes on is gone, and so is the next; both have new ones, of which one has not been reached yet.
  watches.remove(&one, "/a/b/c", "w");
  watches.remove(&one, "/a/b", "w");
  watches.remove(&one, "/a/d", "w");
  watch("/a/b", "late");
  watch("/a/d", "late");
  while (!next_part(progress)) {
  }
  EXPECT_EQ(told, "w:/a/b- w:/a/b/c- w:/a/e- ");
}

TEST_F(WatchesTest, OfAPlaceThatIsGoneByThenAreNotMissed) {
  watch("/a/b", "1");
  watch("/a", "2");
  const Change changes[] = {{.path = at("/a/b")}, {.path = at("/a/b/c")}};
  auto progress = watches.begin();
  EXPECT_FALSE(watches.match(changes, progress, 2, tell()));
  EXPECT_TRUE(watches.remove(&one, "/a/b", "1"));
  EXPECT_TRUE(watches.match(changes, progress, 100, tell()));
  EXPECT_EQ(told, "2:/a/b 2:/a/b/c ");
}

TEST_F(WatchesTest, AreOneForEachOwnerPathAndToken) {
  watch("/a", "t");
  EXPECT_FALSE(watches.add({.owner = &one, .path = "/a", .token = "t"}));
  EXPECT_TRUE(watches.add({.owner = &two, .path = "/a", .token = "t"}));
  EXPECT_TRUE(watches.add({.owner = &one, .path = "/a", .token = "u"}));
  EXPECT_EQ(watches.size(), 3U);
  EXPECT_FALSE(watches.remove(&one, "/a", "none"));
  EXPECT_FALSE(watches.remove(&one, "/b", "t"));
  EXPECT_TRUE(watches.remove(&one, "/a", "t"));
  EXPECT_EQ(write("/a"), "t:/a u:/a ");
  EXPECT_EQ(watches.remove_all(&one), 1U);
  EXPECT_EQ(watches.remove_all(&one), 0U);
  EXPECT_EQ(watches.remove_all(&two), 1U);
  EXPECT_EQ(write("/a"), "");
}

TEST_F(WatchesTest, KeepNoPlaceForThoseThatWent) {
  watch("/a/b/c", "c");
  watch("/a/b", "b");
  watch("/a/x/y", "y");
  EXPECT_TRUE(watches.remove(&one, "/a/b/c", "c"));
  EXPECT_EQ(write("/a/b/c"), "b:/a/b/c ");
  EXPECT_TRUE(watches.remove(&one, "/a/b", "b"));
  EXPECT_EQ(write("/a/b/c"), "");
  EXPECT_EQ(write("/a/x/y"), "y:/a/x/y ");
  EXPECT_TRUE(watches.remove(&one, "/a/x/y", "y"));
  watch("/", "root");
  EXPECT_TRUE(watches.remove(&one, "/", "root"));
  EXPECT_EQ(watches.size(), 0U);
}

TEST_F(WatchesTest, OfAnOwnerThatLeftMatchNoMoreAndAreTakenOutLittleByLittle) {
  const auto fill = [this] {
    for (int i = 0; i < 100; ++i) watch("/a", std::to_string(i));
    watch("/a/b", "b");
    watch("@releaseDomain", "gone");
  };
  fill();
  ASSERT_TRUE(watches.add({.owner = &two, .path = "/a", .token = "two"}));
  EXPECT_EQ(watches.remove_all(&one), 102U);
  EXPECT_EQ(watches.size(), 1U);
  EXPECT_EQ(write("/a/b"), "two:/a/b ");
  watches.match_special("@releaseDomain", 5, tell());
  EXPECT_EQ(told, "two:/a/b ");
  // It may begin anew before the old ones are out.
  EXPECT_TRUE(watches.tidy(10));
  fill();
  EXPECT_EQ(watches.size(), 103U);
  EXPECT_EQ(watches.remove_all(&one), 102U);
  watch("/a", "0");
  int parts = 1;
  while (watches.tidy(10)) ++parts;
  EXPECT_GE(parts, 19);
  EXPECT_EQ(write("/a/b"), "two:/a/b 0:/a/b ");
  EXPECT_EQ(watches.size(), 2U);
}

TEST_F(WatchesTest, SpecialNamesAreTheirOwn) {
  watch("@releaseDomain", "all");
  watch("@releaseDomain", "which", 1);
  watch("@releaseDomain/5", "five");
  watch("@introduceDomain", "in");
  watches.match_special("@releaseDomain", 5, tell());
  watches.match_special("@releaseDomain", 6, tell());
  EXPECT_EQ(
      told,
      "all:@releaseDomain which:@releaseDomain/5 five:@releaseDomain/5 all:@releaseDomain which:@releaseDomain/6 ");
  EXPECT_TRUE(watches.remove(&one, "@releaseDomain/5", "five"));
  EXPECT_EQ(watches.remove_all(&one), 3U);
}

}  // namespace
}  // namespace vireo::tree
