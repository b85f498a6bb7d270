// The checker itself: that it accepts what can be explained, and that it cannot be talked into what cannot. Each wrong
// history here is one that a broken core might give.
#include <gtest/gtest.h>

#include "tests/histories/linearize.hpp"

namespace vireo::tests {
namespace {

constexpr GuestState at_rest(int name) { return {.name = name, .persistent = true}; }
constexpr GuestState running(int name, int id) { return {.name = name, .persistent = true, .id = id}; }
constexpr GuestState transient(int name, int id) { return {.name = name, .id = id}; }

Call call(Kind kind, int guest, int name, Answer answer, std::uint64_t began, std::uint64_t ended, int id = no_id) {
  return {.kind = kind, .guest = guest, .name = name, .id = id, .answer = answer, .began = began, .ended = ended};
}
Call list(HostState seen, std::uint64_t at) {
  return {.kind = Kind::List, .seen = seen, .answer = Answer::Ok, .began = at, .ended = at};
}
Call found(Kind kind, int guest, int name, GuestState state, std::uint64_t at) {
  return {.kind = kind,
          .guest = guest,
          .name = name,
          .id = state.id,
          .found = state,
          .answer = Answer::Ok,
          .began = at,
          .ended = at};
}

TEST(Checker, AcceptsALifeInOrder) {
  EXPECT_TRUE(linearizable(
      {call(Kind::Define, 0, 0, Answer::Ok, 1, 2), list({at_rest(0)}, 3), call(Kind::Start, 0, 0, Answer::Ok, 4, 5, 7),
       list({running(0, 7)}, 6), call(Kind::Rename, 0, 1, Answer::Refused, 7, 8),
       call(Kind::Destroy, 0, 0, Answer::Ok, 9, 10), call(Kind::Rename, 0, 1, Answer::Ok, 11, 12),
       found(Kind::LookupName, 0, 1, at_rest(1), 13), call(Kind::Undefine, 0, 0, Answer::Ok, 14, 15), list({}, 16)}));
}

TEST(Checker, LetsOverlappingCallsTakeEitherOrder) {
  for (const auto seen : {HostState{}, HostState{at_rest(0)}})
    EXPECT_TRUE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 5), list(seen, 3)}));
  EXPECT_TRUE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Undefine, 0, 0, Answer::Ok, 3, 8),
                            call(Kind::Start, 0, 0, Answer::NoDomain, 4, 7)}));
}

TEST(Checker, RefusesAReadThatIsTooOldOrTooNew) {
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), list({}, 3)}));
  EXPECT_FALSE(linearizable({list({at_rest(0)}, 1), call(Kind::Define, 0, 0, Answer::Ok, 2, 3)}));
  // Once somebody has seen it, everybody does.
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 9), list({at_rest(0)}, 3), list({}, 4)}));
}

TEST(Checker, RefusesTwoOwnersOfOneNameOrUuid) {
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 4), call(Kind::Define, 1, 0, Answer::Ok, 2, 3)}));
  EXPECT_FALSE(
      linearizable({call(Kind::Create, 0, 0, Answer::Ok, 1, 4, 1), call(Kind::Define, 0, 1, Answer::Ok, 2, 3)}));
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Define, 1, 1, Answer::Ok, 3, 4),
                             call(Kind::Rename, 0, 2, Answer::Ok, 5, 8), call(Kind::Rename, 1, 2, Answer::Ok, 6, 7)}));
}

TEST(Checker, RefusesAClashWithNobody) {
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Clash, 1, 2)}));
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Rename, 0, 1, Answer::Ok, 3, 4),
                             call(Kind::Define, 1, 0, Answer::Clash, 5, 6)}));
  // Excused by a create that had the name at the time and came to nothing.
  EXPECT_TRUE(
      linearizable({call(Kind::Create, 1, 0, Answer::Failed, 1, 4), call(Kind::Define, 0, 0, Answer::Clash, 2, 3)}));
}

TEST(Checker, RefusesTwoStartsOfOneGuest) {
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Start, 0, 0, Answer::Ok, 3, 6, 1),
                             call(Kind::Start, 0, 0, Answer::Ok, 4, 5, 2)}));
  EXPECT_FALSE(
      linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Start, 0, 0, Answer::Refused, 3, 4)}));
}

TEST(Checker, RefusesALostUpdate) {
  // A guest that was undefined while it ran is transient, and gone when it ends.
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Start, 0, 0, Answer::Ok, 3, 4, 1),
                             call(Kind::Undefine, 0, 0, Answer::Ok, 5, 6), call(Kind::Destroy, 0, 0, Answer::Ok, 7, 8),
                             list({at_rest(0)}, 9)}));
  EXPECT_FALSE(linearizable(
      {call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Rename, 0, 1, Answer::Ok, 3, 4), list({at_rest(0)}, 5)}));
}

TEST(Checker, RefusesAnEndThatNobodyMade) {
  const History begun = {call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Start, 0, 0, Answer::Ok, 3, 4, 1)};
  auto ended = begun;
  ended.push_back(list({at_rest(0)}, 6));
  EXPECT_FALSE(linearizable(ended));
  ended.insert(ended.begin() + 2, call(Kind::Death, 0, 0, Answer::Ok, 5, 9, 1));
  EXPECT_TRUE(linearizable(ended));
  // The death of another life explains nothing.
  ended[2].id = 2;
  EXPECT_FALSE(linearizable(ended));
}

TEST(Checker, LetsACallThatWasCutOffHappenOrNotButNotLater) {
  for (const auto seen : {HostState{}, HostState{transient(0, 3)}})
    EXPECT_TRUE(linearizable({call(Kind::Create, 0, 0, Answer::Unknown, 1, 2), list(seen, 3)}));
  // Not seen after the restart, it must not appear.
  EXPECT_FALSE(
      linearizable({call(Kind::Create, 0, 0, Answer::Unknown, 1, 2), list({}, 3), list({transient(0, 3)}, 4)}));
  // Its id, once seen, stays.
  EXPECT_FALSE(linearizable(
      {call(Kind::Create, 0, 0, Answer::Unknown, 1, 2), list({transient(0, 3)}, 3), list({transient(0, 4)}, 4)}));
}

TEST(Checker, RefusesAFailureThatChangedSomething) {
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Failed, 1, 2), list({at_rest(0)}, 3)}));
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Rename, 0, 1, Answer::Failed, 3, 4),
                             list({at_rest(1)}, 5)}));
}

TEST(Checker, RefusesABatchThatLeavesAGuestRunningWhichItUndid) {
  // Both were begun together; one failed, so the other was ended again.
  History batch = {call(Kind::Define, 0, 0, Answer::Ok, 1, 2),   call(Kind::Define, 1, 1, Answer::Ok, 3, 4),
                   call(Kind::Start, 0, 0, Answer::Ok, 5, 6, 9), call(Kind::Start, 1, 1, Answer::Failed, 5, 10),
                   list({running(0, 9), at_rest(1)}, 7),         call(Kind::Undo, 0, 0, Answer::Ok, 8, 10, 9)};
  auto wrong = batch;
  batch.push_back(list({at_rest(0), at_rest(1)}, 11));
  EXPECT_TRUE(linearizable(batch));
  wrong.push_back(list({running(0, 9), at_rest(1)}, 11));
  EXPECT_FALSE(linearizable(wrong));
  // Somebody else starts it after that: the batch ends its own life of the guest only.
  batch.push_back(call(Kind::Start, 0, 0, Answer::Ok, 12, 13, 10));
  batch.push_back(list({running(0, 10), at_rest(1)}, 14));
  EXPECT_TRUE(linearizable(batch));
}

TEST(Checker, RefusesASuspendOfWhatDoesNotRun) {
  const auto defined = call(Kind::Define, 0, 0, Answer::Ok, 1, 2);
  EXPECT_FALSE(linearizable({defined, call(Kind::Suspend, 0, 0, Answer::Ok, 3, 4)}));
  EXPECT_TRUE(linearizable({defined, call(Kind::Suspend, 0, 0, Answer::Refused, 3, 4)}));
  const auto started = call(Kind::Start, 0, 0, Answer::Ok, 3, 4, 1);
  EXPECT_TRUE(linearizable({defined, started, call(Kind::Suspend, 0, 0, Answer::Ok, 5, 6)}));
  EXPECT_FALSE(linearizable({defined, started, call(Kind::Suspend, 0, 0, Answer::Refused, 5, 6)}));
  EXPECT_FALSE(linearizable({defined, started, call(Kind::Resume, 0, 0, Answer::NoDomain, 5, 6)}));
}

TEST(Checker, RefusesALookupThatDisagreesWithTheList) {
  EXPECT_FALSE(linearizable({call(Kind::Define, 0, 0, Answer::Ok, 1, 2), call(Kind::Start, 0, 0, Answer::Ok, 3, 4, 1),
                             found(Kind::LookupId, 0, 0, running(0, 1), 5),
                             Call{.kind = Kind::LookupName, .name = 0, .answer = Answer::Ok, .began = 6, .ended = 6}}));
}

}  // namespace
}  // namespace vireo::tests
