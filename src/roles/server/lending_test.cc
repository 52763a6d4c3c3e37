#include "roles/server/lending.h"

#include <gtest/gtest.h>

#include "roles/server/pool_for_test.h"

namespace muster::roles::server {
namespace {

constexpr Instant kStart = PoolForTest::kStart;

// "a:j b:k", what is lent next.
std::string next(const PoolForTest& pool, bool with_stores = true) {
  std::string out;
  for (const auto& [machine, job] : next_loans(pool.situation(), with_stores)) {
    out.append(out.empty() ? "" : " ").append(machine).append(":").append(job);
  }
  return out;
}

pb::Lend message(const PoolForTest& pool, const std::string& job) {
  return lend_message(pool.situation(), pool.jobs.at(job).row);
}

TEST(NextLoans, GoInTheOrderOfJoiningToTheJobThatHasTheFewest) {
  PoolForTest pool;
  for (const char* machine : {"d", "c", "b", "a", "e"}) pool.join(machine);
  pool.commit("j");
  pool.commit("k");
  pool.want("j", 3);
  pool.want("k", 1);
  EXPECT_EQ(next(pool), "d:j c:k b:j a:j");
  pool.loans.lend("d", "j");
  EXPECT_EQ(next(pool), "c:k b:j a:j");
  pool.want("k", 0);
  EXPECT_EQ(next(pool), "c:j b:j");
}

TEST(NextLoans, GoToJobsThatCanUseThemNow) {
  PoolForTest pool;
  for (const char* machine : {"a", "b"}) pool.join(machine);
  pool.commit("j");
  pool.commit("k", [](pb::JobRow& row) { row.clear_coordinator(); });
  pool.want("j", 2, {"a"});
  pool.want("k", 2);
  EXPECT_EQ(next(pool), "b:j") << "a was released, and k has no coordinator";
}

TEST(NextLoans, AreOfMachinesThatMayCompute) {
  PoolForTest pool;
  pool.join("a", pb::ROLE_FLAG_STORAGE);
  pool.join("b", pb::ROLE_FLAG_COORDINATOR);
  pool.join("c");
  pool.quarantine("c");
  pool.join("d");
  pool.loans.join("d", false);
  pool.join("e", pb::ROLE_FLAG_COMPUTE);
  pool.commit("j");
  pool.want("j", 9);
  EXPECT_EQ(next(pool), "e:j") << "d has not said yet what it works for";
}

TEST(NextLoans, AreOfStoresLastAndOnlyForTheVotes) {
  PoolForTest pool({"s", "t"});
  for (const char* machine : {"s", "t", "a"}) pool.join(machine);
  pool.commit("j");
  pool.want("j", 9);
  EXPECT_EQ(next(pool), "a:j s:j t:j");
  EXPECT_EQ(next(pool, false), "a:j");
  pool.join("b");
  EXPECT_EQ(next(pool), "a:j b:j") << "two can vote without them";
  pool.loans.lend("a", "j");
  EXPECT_EQ(next(pool), "b:j") << "whether they are free or not";
}

TEST(NextLoans, OfStoresAreForAsManyVotesAsTheJobWants) {
  PoolForTest pool({"s"});
  for (const char* machine : {"s", "a"}) pool.join(machine);
  pool.commit("j", [](pb::JobRow& row) { row.mutable_request()->set_redundancy(1); });
  pool.want("j", 9);
  EXPECT_EQ(next(pool), "a:j");
}

TEST(NextLoans, AreNotOfWhoIsToRetire) {
  PoolForTest pool({"s"});
  for (const char* machine : {"s", "b"}) pool.join(machine);
  pool.commit("j", [](pb::JobRow& row) { row.mutable_request()->set_redundancy(5); });
  pool.want("j", 9);
  pool.loans.lend("b", "j");
  EXPECT_EQ(pool.view.keep(kStart, pool.effects), "");
  EXPECT_EQ(pool.view.keep(kStart + StorageView::kIdleWait, pool.effects), "b");
  EXPECT_EQ(message(pool, "j").retiring(0), "b");
  pool.loans.take_back("b");
  EXPECT_EQ(next(pool), "s:j");
  EXPECT_EQ(message(pool, "j").retiring_size(), 0) << "it has left the job";
}

TEST(LendMessage, TellsWhatMayBeExpectedOfTheOthers) {
  PoolForTest pool;
  pool.join("a", pb::ROLE_FLAG_AUTO, "ann");
  for (const char* machine : {"b", "c"}) pool.join(machine, pb::ROLE_FLAG_AUTO, "bob");
  for (const char* machine : {"d", "e"}) pool.join(machine);
  pool.join("f", pb::ROLE_FLAG_COORDINATOR, "fay");
  pool.commit("j");
  pool.want("j", 9, {"d"});
  pool.loans.lend("a", "j");
  pool.loans.lend("b", "k");
  pool.loans.lend("d", "k");
  pool.quarantine("e");
  const pb::Lend lend = message(pool, "j");
  EXPECT_EQ(lend.key().job(), "j");
  ASSERT_EQ(lend.loans_size(), 1);
  EXPECT_EQ(lend.loans(0).owner(), "ann");
  EXPECT_EQ(lend.elsewhere(), 1u) << "b; d is of no use";
  ASSERT_EQ(lend.quarantined_size(), 1);
  EXPECT_EQ(lend.quarantined(0), "e");
  ASSERT_EQ(lend.other_owners_size(), 1);
  EXPECT_EQ(lend.other_owners(0), "bob");
  EXPECT_TRUE(lend.many_owners());
}

TEST(LendMessage, OneOwnerIsNotMany) {
  PoolForTest pool;
  for (const char* machine : {"a", "b"}) pool.join(machine, pb::ROLE_FLAG_AUTO, "ann");
  pool.commit("j");
  EXPECT_FALSE(message(pool, "j").many_owners());
  pool.join("c");
  EXPECT_TRUE(message(pool, "j").many_owners()) << "who names no owner is its own";
}

TEST(MayChangeLending, SignsOfLifeDoNot) {
  const auto received = [](auto fill) {
    Received event;
    fill(event.envelope);
    return Event(event);
  };
  EXPECT_FALSE(may_change_lending(Tick{}));
  EXPECT_FALSE(may_change_lending(received([](auto& e) { e.mutable_heartbeat(); })));
  EXPECT_FALSE(may_change_lending(received([](auto& e) { e.mutable_pool_state_seen(); })));
  EXPECT_FALSE(may_change_lending(received([](auto& e) { e.mutable_job_progress(); })));
  EXPECT_FALSE(may_change_lending(received([](auto& e) { e.mutable_want_workers(); })));
  EXPECT_TRUE(may_change_lending(received([](auto& e) { e.mutable_holding(); })));
  EXPECT_TRUE(may_change_lending(NodeLeft{}));
  EXPECT_TRUE(may_change_lending(Stored{}));
}

TEST(NextLoans, AreNotOfWhoIsLeaving) {
  PoolForTest pool;
  for (const char* machine : {"a", "b", "c"}) pool.join(machine);
  pool.commit("j");
  pool.want("j", 9);
  pool.loans.lend("a", "j");
  for (const char* machine : {"a", "b"}) pool.nodes.note_leaving(machine);
  EXPECT_EQ(next(pool), "c:j");
  const pb::Lend lend = message(pool, "j");
  ASSERT_EQ(lend.retiring_size(), 1) << "what it has it works off";
  EXPECT_EQ(lend.retiring(0), "a");
  EXPECT_EQ(lend.loans_size(), 1);
}

}  // namespace
}  // namespace muster::roles::server
