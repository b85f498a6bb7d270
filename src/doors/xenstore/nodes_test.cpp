// Reading and changing nodes: every answer and every error, for domain 0 and for one that may not do everything.
#include <cerrno>

#include "doors/xenstore/test_world.hpp"

namespace vireo::doors::xenstore::testing {
namespace {

using enum Operation;

class Nodes : public World {
 protected:
  Nodes() {
    zero_.ask(write, "/local/domain/1/name|one");
    zero_.ask(set_perms, "/local/domain/1|n1|");
    zero_.ask(set_perms, "/local/domain/1/name|n1|");
  }
  Peer one_{common_, 1};
};

TEST_F(Nodes, AreWrittenAndRead) {
  EXPECT_EQ(zero_.ask(read, "/a|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(write, "/a/b|value"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/a/b|"), "value");
  EXPECT_EQ(zero_.ask(read, "/a|"), "") << "a parent that was missing has an empty value";
  EXPECT_EQ(zero_.ask(write, "/a/b|"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/a/b|"), "");
  EXPECT_EQ(zero_.ask(write, "/|root"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/|"), "root");
}

TEST_F(Nodes, HoldAnyBytes) {
  const auto value = std::string("\0\xff|\n", 4);
  const auto bytes = frame(write, std::string("/b\0", 3) + value);
  EXPECT_EQ(zero_.client.take(bytes), bytes.size());
  ASSERT_EQ(zero_.receive().size(), 1u);
  EXPECT_EQ(store_.find(*tree::Path::parse("/b"))->value(), value);
}

TEST_F(Nodes, WhatIsNoPathIsRefused) {
  for (const auto operation : {read, directory, mkdir, rm, get_perms}) {
    for (const char* payload : {"", "/", "|", "/a/|", "//|", "/a//b|", "/a b|", "/a.b|", "/a|/b|", "@releaseDomain/|"})
      EXPECT_TRUE(zero_.ask(operation, payload).starts_with("!E")) << payload;
    EXPECT_EQ(zero_.ask(operation, "/a b|"), "!EINVAL");
    EXPECT_EQ(zero_.ask(operation, "/a"), "!EINVAL") << "without its zero byte it is no string";
    EXPECT_EQ(zero_.ask(operation, "/" + std::string(3072, 'a') + "|"), "!EINVAL");
    EXPECT_EQ(zero_.ask(operation, std::string(2049, 'a') + "|"), "!EINVAL");
  }
  EXPECT_EQ(zero_.ask(read, "/" + std::string(3071, 'a') + "|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(read, std::string(2048, 'a') + "|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(write, "/a"), "!EINVAL");
  EXPECT_EQ(zero_.ask(write, "@releaseDomain|x"), "!EINVAL");
  EXPECT_EQ(zero_.ask(read, "@releaseDomain|"), "!EINVAL");
}

TEST_F(Nodes, OfARelativePathAreThoseOfTheDomain) {
  EXPECT_EQ(one_.ask(read, "name|"), "one");
  EXPECT_EQ(one_.ask(write, "data/x|1"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/local/domain/1/data/x|"), "1");
  EXPECT_EQ(zero_.ask(write, "mine|0"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/local/domain/0/mine|"), "0");
}

TEST_F(Nodes, AreMadeOnlyIfTheyAreNotThere) {
  EXPECT_EQ(zero_.ask(mkdir, "/m/n|"), "OK|");
  EXPECT_EQ(zero_.ask(write, "/m/n|v"), "OK|");
  EXPECT_EQ(zero_.ask(mkdir, "/m/n|"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/m/n|"), "v");
}

TEST_F(Nodes, AreRemovedWithAllBelow) {
  zero_.ask(write, "/r/s/t|v");
  EXPECT_EQ(zero_.ask(rm, "/r|"), "OK|");
  EXPECT_EQ(zero_.ask(read, "/r/s/t|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(rm, "/r|"), "OK|") << "its parent is there, so all is as it should be";
  EXPECT_EQ(zero_.ask(rm, "/r/s|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(rm, "/|"), "!EINVAL");
}

TEST_F(Nodes, ListTheirChildren) {
  for (const char* name : {"c", "a", "b"}) zero_.ask(write, fmt::format("/d/{}|", name));
  EXPECT_EQ(zero_.ask(directory, "/d|"), "a|b|c|");
  EXPECT_EQ(zero_.ask(directory, "/d/a|"), "");
  EXPECT_EQ(zero_.ask(directory, "/nowhere|"), "!ENOENT");
}

class LongLists : public World {
 protected:
  // All names, part by part; each has the generation and whole names.
  std::string list(const std::string& path) {
    std::string all;
    generation_.clear();
    for (bool last = false; !last;) {
      const auto part = zero_.ask(directory_part, fmt::format("{}|{}|", path, all.size()));
      EXPECT_LE(part.size(), max_payload);
      const auto head = part.find('|') + 1;
      if (generation_.empty()) generation_ = part.substr(0, head);
      EXPECT_EQ(part.substr(0, head), generation_);
      auto rest = part.substr(head);
      last = rest.ends_with("||") || rest == "|";
      if (last) rest.pop_back();
      if (!last && !rest.ends_with('|')) return "no whole names: " + part;
      all += rest;
    }
    return all;
  }
  // Makes them, too.
  std::string names(const std::string& path, int count, const std::string& end = "") {
    std::string all;
    for (int i = 0; i < count; ++i) {
      const auto name = fmt::format("child-{:04}{}|", i, end);
      all += name;
      zero_.ask(write, fmt::format("{}/{}", path, name));
    }
    return all;
  }
  static Lines sorted(const std::string& names) {
    Lines out;
    for (std::size_t at = 0; at < names.size(); at += out.back().size() + 1)
      out.push_back(names.substr(at, names.find('|', at) - at));
    std::ranges::sort(out);
    return out;
  }
  std::string generation_;  // of the last list
};

TEST_F(LongLists, ComeInParts) {
  const auto all = names("/many", 1000);
  EXPECT_EQ(zero_.ask(directory, "/many|"), "!E2BIG");
  EXPECT_EQ(list("/many"), all) << "the order of the alphabet";
  zero_.ask(write, "/many/one-more|");
  EXPECT_FALSE(zero_.ask(directory_part, "/many|0|").starts_with(generation_));

  EXPECT_TRUE(zero_.ask(directory_part, "/many|100000|").ends_with("||")) << "behind the end there is an empty name";
  EXPECT_EQ(zero_.ask(directory_part, "/many|0"), "!EINVAL");
  EXPECT_EQ(zero_.ask(directory_part, "/many|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(directory_part, "/many|x|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(directory_part, "/many|0|0|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(directory_part, "/nowhere|0|"), "!ENOENT");
}

TEST_F(LongLists, OfVeryManyComeInAnOrderThatStays) {
  const auto all = names("/many", 9999);
  const auto told = list("/many");
  EXPECT_EQ(sorted(told), sorted(all));
  EXPECT_EQ(list("/many"), told);
  zero_.ask(write, "/many/child-0000|another value");
  EXPECT_EQ(list("/many"), told);
  zero_.ask(rm, "/many/child-0000|");
  EXPECT_EQ(sorted(list("/many")).size(), 9998u);
}

TEST_F(LongLists, HaveWholeNamesHoweverLongTheyAre) {
  for (const int length : {100, 1500, 3000}) {
    const auto path = fmt::format("/long-{}", length);
    const auto all = names(path, 40, std::string(static_cast<std::size_t>(length), 'x'));
    EXPECT_EQ(sorted(list(path)), sorted(all));
  }
}

TEST_F(Nodes, ShowAndChangeWhoMayDoWhat) {
  zero_.ask(write, "/p|");
  EXPECT_EQ(zero_.ask(set_perms, "/p|n0|r1|b2|w3|"), "OK|");
  EXPECT_EQ(zero_.ask(get_perms, "/p|"), "n0|r1|b2|w3|");
  EXPECT_EQ(zero_.ask(set_perms, "/p|n0|r77|"), "OK|") << "only the owner has to be somebody";
  EXPECT_EQ(zero_.ask(set_perms, "/p|n0|r1"), "OK|") << "the last zero byte may be missing";
  EXPECT_EQ(zero_.ask(get_perms, "/p|"), "n0|r1|");
  EXPECT_EQ(zero_.ask(set_perms, "/p|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_perms, "/p|x0|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_perms, "/p|n|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_perms, "/p|r1x|"), "!EINVAL");
  EXPECT_EQ(zero_.ask(set_perms, "/p|n77|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(set_perms, "/nowhere|n0|"), "!ENOENT");
  EXPECT_EQ(zero_.ask(get_perms, "/nowhere|"), "!ENOENT");
}

TEST_F(Nodes, AreClosedToWhoMayNot) {
  zero_.ask(write, "/secret/x|v");
  zero_.ask(set_perms, "/secret|n0|");
  zero_.ask(set_perms, "/secret/x|n0|");
  for (const auto operation : {read, directory, mkdir, rm, get_perms})
    EXPECT_EQ(one_.ask(operation, "/secret/x|"), "!EACCES");
  EXPECT_EQ(one_.ask(write, "/secret/x|w"), "!EACCES");
  EXPECT_EQ(one_.ask(write, "/secret/new|w"), "!EACCES");
  EXPECT_EQ(one_.ask(read, "/secret/new|"), "!EACCES") << "it may not know that there is none";
  EXPECT_EQ(one_.ask(directory_part, "/secret|0|"), "!EACCES");
  EXPECT_EQ(one_.ask(set_perms, "/secret/x|n1|"), "!EACCES");
  EXPECT_EQ(zero_.ask(read, "/secret/x|"), "v");

  zero_.ask(set_perms, "/secret/x|n0|r1|");
  EXPECT_EQ(one_.ask(read, "/secret/x|"), "v");
  EXPECT_EQ(one_.ask(write, "/secret/x|w"), "!EACCES");
  zero_.ask(set_perms, "/secret/x|n0|b1|");
  EXPECT_EQ(one_.ask(write, "/secret/x|w"), "OK|");
}

TEST_F(Nodes, BelongToWhoMakesThem) {
  EXPECT_EQ(one_.ask(write, "data|v"), "OK|");
  EXPECT_EQ(one_.ask(get_perms, "data|"), "n1|");
  EXPECT_EQ(one_.ask(set_perms, "data|r1|"), "OK|");
  EXPECT_EQ(one_.ask(set_perms, "data|n2|"), "!EPERM") << "it may not give them away";
  Peer two(common_, 2);
  EXPECT_EQ(two.ask(read, "/local/domain/1/data|"), "v");
}

TEST_F(Nodes, AreOpenToWhoTargetsTheirOwner) {
  zero_.ask(introduce, "1|0|1|");
  zero_.ask(introduce, "2|0|1|");
  Peer two(common_, 2);
  EXPECT_EQ(two.ask(read, "/local/domain/1/name|"), "!EACCES");
  EXPECT_EQ(zero_.ask(set_target, "2|1|"), "OK|");
  EXPECT_EQ(two.ask(read, "/local/domain/1/name|"), "one");
  zero_.ask(release, "1|");
  zero_.ask(write, "/local/domain/1/name|again");
  zero_.ask(set_perms, "/local/domain/1/name|n1|");
  EXPECT_NE(two.ask(read, "/local/domain/1/name|"), "again");
}

TEST_F(Nodes, AreBoundedInSizeNumberAndPermissions) {
  const auto& limits = store_.quotas().of(1);
  EXPECT_EQ(one_.ask(write, "big|" + std::string(limits.node_size, 'v')), "!ENOSPC");
  EXPECT_EQ(one_.ask(write, "big|" + std::string(limits.node_size / 2, 'v')), "OK|");
  EXPECT_EQ(one_.ask(set_perms, "big|n1|r2|r3|r4|r5|"), "OK|");
  EXPECT_EQ(one_.ask(set_perms, "big|n1|r2|r3|r4|r5|r6|"), "!ENOSPC");
  int made = 0;
  while (made < 5000 && one_.ask(write, fmt::format("n/{}|", made)) == "OK|") ++made;
  EXPECT_GT(made, 900);
  EXPECT_LE(made, 1000);
  EXPECT_EQ(one_.ask(write, "n/more|"), "!ENOSPC");
  EXPECT_EQ(one_.ask(rm, "n|"), "OK|");
  EXPECT_EQ(one_.ask(write, "n/more|"), "OK|");
}

TEST_F(Nodes, ThatSomebodyKeepsAreRefused) {
  store_.guard([](const tree::Store::Wish& wish) { return wish.path.text() == "/kept" ? EROFS : 0; });
  EXPECT_EQ(zero_.ask(write, "/kept|x"), "!EROFS");
}

}  // namespace
}  // namespace vireo::doors::xenstore::testing
