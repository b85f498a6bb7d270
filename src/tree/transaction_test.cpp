// What transactions see, when they conflict, and when they must not.
#include "tree/transaction.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <string>

#include "tree/store.hpp"

namespace vireo::tree {
namespace {

const Caller caller{};
constexpr int fine = 0;

Path at(std::string_view text) { return *Path::parse(text); }

// However it ends.
template <class T>
void do_it(const Outcome<T>&) {}

struct TransactionTest : ::testing::Test {
  Store store;
  std::vector<std::string> told;

  TransactionTest() {
    store.write(caller, nullptr, at("/a/b"), "1").value();
    store.write(caller, nullptr, at("/a/c"), "1").value();
    store.listen([this](const Commit& commit) {
      for (const auto& change : commit.changes)
        told.push_back(std::string(1, "wpr"[static_cast<int>(change.kind)]) + std::string(change.path.text()));
    });
  }

  using Act = std::function<void(Transaction*)>;
  static Act all(std::vector<Act> acts) {
    return [acts](Transaction* in) {
      for (const auto& act : acts) act(in);
    };
  }
  Act read(std::string path) {
    return [this, path](Transaction* in) { do_it(store.read(caller, in, at(path))); };
  }
  Act list(std::string path) {
    return [this, path](Transaction* in) { do_it(store.list(caller, in, at(path))); };
  }
  Act permissions(std::string path) {
    return [this, path](Transaction* in) { do_it(store.permissions(caller, in, at(path))); };
  }
  Act write(std::string path, std::string value = "2") {
    return [this, path, value](Transaction* in) { do_it(store.write(caller, in, at(path), value)); };
  }
  Act make(std::string path) {
    return [this, path](Transaction* in) { do_it(store.make(caller, in, at(path))); };
  }
  Act remove(std::string path) {
    return [this, path](Transaction* in) { do_it(store.remove(caller, in, at(path))); };
  }
  Act give(std::string path) {
    return [this, path](Transaction* in) {
      do_it(store.set_permissions(caller, in, at(path), {{.domain = 5, .rights = Rights::both}}));
    };
  }
  // How a transaction ends that does this while others do that.
  int ends(const Act& does, const Act& meanwhile) {
    auto transaction = store.begin(caller);
    does(transaction.get());
    meanwhile(nullptr);
    const auto done = store.commit(std::move(transaction));
    return done ? fine : done.error();
  }
  std::string value(std::string_view path, Transaction* in = nullptr) {
    const auto read = store.read(caller, in, at(path));
    return read ? std::string(*read) : "E" + std::to_string(read.error());
  }
};

TEST_F(TransactionTest, SeesItsOwnChangesAndNoOthers) {
  auto transaction = store.begin(caller);
  write("/a/b", "other")(nullptr);
  EXPECT_EQ(value("/a/b", transaction.get()), "1");
  write("/a/b", "own")(transaction.get());
  write("/a/new")(transaction.get());
  remove("/a/c")(transaction.get());
  EXPECT_EQ(value("/a/b", transaction.get()), "own");
  EXPECT_EQ(value("/a/c", transaction.get()), "E2");
  EXPECT_EQ(value("/a/b"), "other");
  EXPECT_EQ(value("/a/new"), "E2");
  EXPECT_EQ(value("/a/c"), "1");
  transaction.reset();
  EXPECT_EQ(value("/a/new"), "E2");
  EXPECT_EQ(store.open_transactions(), 0U);
}

TEST_F(TransactionTest, TellsOncePerPathInTheOrderOfItsFirstChange) {
  EXPECT_EQ(ends(all({write("/x"), write("/a/b"), read("/a/c"), write("/x", "3"), remove("/a/c"), make("/a/c"),
                      make("/a/b"), give("/x"), remove("/none")}),
                 [](Transaction*) {}),
            fine);
  EXPECT_EQ(told, (std::vector<std::string>{"w/x", "w/a/b", "r/a/c", "w/a/c", "p/x"}));
  EXPECT_EQ(value("/x"), "3");
}

TEST_F(TransactionTest, TellsNothingWhenItIsAbortedOrOnlyRead) {
  auto transaction = store.begin(caller);
  write("/x")(transaction.get());
  transaction.reset();
  EXPECT_EQ(ends(read("/a/b"), [](Transaction*) {}), fine);
  EXPECT_TRUE(told.empty());
}

TEST_F(TransactionTest, ConflictsWhereItWasToldWhatIsNotSoAnyMore) {
  const Act changes = write("/own");
  EXPECT_EQ(ends(all({read("/a/b"), changes}), write("/a/b")), EAGAIN);
  EXPECT_EQ(ends(all({read("/none"), changes}), write("/none")), EAGAIN) << "a failed read is a read";
  EXPECT_EQ(ends(all({list("/a"), changes}), write("/a/d")), EAGAIN);
  EXPECT_EQ(ends(all({list("/a"), changes}), remove("/a/d")), EAGAIN);
  EXPECT_EQ(ends(all({permissions("/a/b"), changes}), give("/a/b")), EAGAIN);
  EXPECT_EQ(ends(all({read("/a/b"), changes}), remove("/a")), EAGAIN);
  write("/a/b")(nullptr);
  EXPECT_EQ(ends(all({remove("/a/x"), changes}), remove("/a")), EAGAIN) << "that its parent was there";
  EXPECT_EQ(ends(all({remove("/none/x"), changes}), write("/none")), fine) << "it is there since before";
  EXPECT_EQ(store.figures().conflicts, 7U);
}

TEST_F(TransactionTest, DoesNotConflictWhereAllAnswersAreTheSame) {
  const Act changes = write("/own");
  EXPECT_EQ(ends(write("/a/x"), write("/a/y")), fine) << "different children of one parent";
  EXPECT_EQ(ends(all({write("/new/x"), write("/new/y")}), write("/new/z")), fine);
  EXPECT_EQ(ends(write("/a/b"), write("/a/b", "3")), fine) << "blind writes";
  EXPECT_EQ(value("/a/b"), "2");
  EXPECT_EQ(ends(all({read("/a/b"), list("/a"), permissions("/a")}), remove("/a")), fine) << "it only read";
  write("/a/b")(nullptr);
  EXPECT_EQ(ends(all({read("/a/b"), changes}), write("/a/c")), fine);
  EXPECT_EQ(ends(all({list("/a"), changes}), write("/a/c", "4")), fine) << "a child's value is not the list";
  EXPECT_EQ(ends(all({list("/a"), changes}), all({write("/a/t"), remove("/a/t")})), fine) << "the same list again";
  EXPECT_EQ(ends(all({read("/a/b"), changes}), write("/a/b")), fine) << "the same value again";
  EXPECT_EQ(ends(all({read("/a/b"), changes}), give("/a/b")), fine);
  EXPECT_EQ(ends(all({permissions("/a/c"), changes}), write("/a/c", "5")), fine);
  EXPECT_EQ(ends(all({read("/none"), changes}), all({write("/none"), remove("/none")})), fine);
  EXPECT_EQ(store.figures().conflicts, 0U);
}

TEST_F(TransactionTest, CountsOnWhatItWroteItself) {
  EXPECT_EQ(ends(all({write("/a/b", "own"), read("/a/b")}), write("/a/b", "other")), fine);
  EXPECT_EQ(value("/a/b"), "own");
  EXPECT_EQ(ends(all({remove("/a"), read("/a/b"), write("/a/z")}), write("/a/y")), fine);
  EXPECT_EQ(value("/a/y"), "E2");
  EXPECT_EQ(value("/a/z"), "2");
}

TEST_F(TransactionTest, ALimitIsAskedAgainAtCommit) {
  const Caller small{.domain = 5};
  give("/a")(nullptr);
  *store.quotas().find(5, "nodes") = 2;
  auto first = store.begin(small), second = store.begin(small);
  EXPECT_TRUE(store.write(small, first.get(), at("/a/1"), ""));
  EXPECT_FALSE(store.write(small, first.get(), at("/a/2"), ""));
  EXPECT_TRUE(store.write(small, second.get(), at("/a/3"), ""));
  EXPECT_TRUE(store.commit(std::move(first)));
  EXPECT_EQ(store.commit(std::move(second)).error(), ENOSPC);
  EXPECT_EQ(value("/a/3"), "E2");
  EXPECT_EQ(store.accounts().of(5).nodes, 2);
}

TEST_F(TransactionTest, IsItselfBounded) {
  *store.quotas().find(0, "transaction-nodes") = 3;
  auto transaction = store.begin(caller);
  for (const char* path : {"/a", "/a/b", "/none", "/a"}) do_it(store.read(caller, transaction.get(), at(path)));
  EXPECT_EQ(store.read(caller, transaction.get(), at("/a/c")).error(), ENOSPC);
  EXPECT_EQ(store.write(caller, transaction.get(), at("/a/c"), "").error(), ENOSPC);
  EXPECT_TRUE(store.write(caller, transaction.get(), at("/a/b"), ""));
  EXPECT_EQ(transaction->nodes(), 3U);
  *store.quotas().find(0, "memory") = 10'000;
  int written = 0;
  while (store.write(caller, transaction.get(), at("/a/b"), std::string(100, 'x'))) ASSERT_LT(++written, 100);
}

TEST_F(TransactionTest, HoldsItsVersionWhateverIsRemoved) {
  for (int i = 0; i < 2'000; ++i) write("/big/" + std::to_string(i))(nullptr);
  auto transaction = store.begin(caller);
  remove("/big")(nullptr);
  while (store.tidy(100)) {
  }
  EXPECT_EQ(value("/big/1999", transaction.get()), "2");
  EXPECT_EQ(store.list(caller, transaction.get(), at("/big"))->bytes(), 8890U);
}

TEST_F(TransactionTest, IsForgottenLittleByLittle) {
  for (const bool commits : {true, false}) {
    auto transaction = store.begin(caller);
    for (int i = 0; i < 1'000; ++i) write("/big/" + std::to_string(i))(transaction.get());
    if (commits) store.commit(std::move(transaction)).value();
    transaction.reset();
    EXPECT_EQ(store.open_transactions(), 0U);
    int parts = 1;
    while (store.tidy(100)) ++parts;
    EXPECT_GE(parts, 20) << "for a thousand steps and as many paths";
  }
}

}  // namespace
}  // namespace vireo::tree
