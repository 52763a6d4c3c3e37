#include "roles/server/explain.h"

#include <gtest/gtest.h>

#include <functional>

#include "roles/server/pool_for_test.h"

namespace muster::roles::server {
namespace {

std::string why(const PoolForTest& pool, const Reasons& reasons, const std::string& what) {
  const pb::WhyReply reply = explain(pool.situation(), reasons, what);
  return reply.has_failure() ? "! " + reply.failure().message() : reply.now();
}

// Machine "m" of a pool whose store is "s", each time as the row says.
TEST(Explain, WhyAMachineHasNoWork) {
  struct Case {
    const char* name;
    std::function<void(PoolForTest&)> change;
    std::string words;
  };
  const auto nothing = [](pb::JobRow&) {};
  for (const Case& c : std::vector<Case>{
           {"not there", [](auto& pool) { pool.nodes.leave("m"), pool.loans.leave({}, "m"); },
            "! no job and no machine is called 'm'"},
           {"no job", [](auto&) {}, "idle; no job is running"},
           {"at work", [](auto& pool) { pool.loans.lend("m", "j"); }, "lent to j"},
           {"no coordinator",
            [](auto& pool) { pool.commit("j", [](auto& row) { row.clear_coordinator(); }); },
            "idle; job j has no coordinator"},
           {"enough", [&](auto& pool) { pool.commit("j", nothing); },
            "idle; job j wants no more machines"},
           {"released",
            [&](auto& pool) {
              pool.commit("j", nothing);
              pool.want("j", 3, {"m"});
            },
            "idle; job j has no use for it now: it has voted, or failed, on all that is left, or "
            "cannot serve"},
           {"unknown", [](auto& pool) { pool.loans.join("m", false); },
            "idle; it has not said yet what it works for"},
           {"quarantined", [](auto& pool) { pool.quarantine("m"); },
            "quarantined: it was outvoted 3 times; 'muster pardon m' lets it in again"},
           {"banished", [](auto& pool) { pool.standings.banish("m", "a lie", pool.effects); },
            "quarantined: it said what it may not, ten times in a minute (); 'muster pardon m' "
            "lets it in again"},
           {"full",
            [](auto& pool) {
              pb::StoreState state;
              state.set_problem("no space");
              pool.nodes.note_store("m", state);
            },
            "idle; cannot store: no space"},
           {"lapsed",
            [](auto& pool) { pool.standings.note_lapse({}, "m", "has fed nothing", pool.effects); },
            "idle; as a storage node it has fed nothing; no job is running"}}) {
    PoolForTest pool({"s"});
    pool.join("m");
    c.change(pool);
    EXPECT_EQ(why(pool, Reasons(pool.ids), "m"), c.words) << c.name;
  }
}

TEST(Explain, WhatAMachineIsFor) {
  PoolForTest pool({"store"});
  pool.join("store");
  pool.join("only", pb::ROLE_FLAG_STORAGE);
  pool.join("coord", pb::ROLE_FLAG_COORDINATOR);
  const Reasons reasons(pool.ids);
  EXPECT_EQ(why(pool, reasons, "coord"), "coordinator");
  EXPECT_EQ(why(pool, reasons, "only"), "idle; it never computes (--role storage)");
  pool.commit("j");
  EXPECT_EQ(why(pool, reasons, "store"), "storage; storage nodes are lent last");
  pool.loans.lend("store", "j");
  EXPECT_EQ(why(pool, reasons, "store"), "storage, lent to j");
}

TEST(Explain, HowAJobStands) {
  struct Case {
    const char* name;
    std::function<void(pb::JobRow&)> change;
    std::string words;
  };
  for (const Case& c : std::vector<Case>{
           {"running", [](auto&) {}, "running: 1 of 9 items settled, 1 machines lent"},
           {"waiting", [](auto& row) { row.set_reason("for a vote"); }, "waits: for a vote"},
           {"alone", [](auto& row) { row.clear_coordinator(); },
            "waits for a coordinator: none is connected"},
           {"done", [](auto& row) { row.set_state(pb::JOB_STATE_DONE); },
            "done: 1 of 9 items settled"},
           {"failed",
            [](auto& row) {
              row.set_state(pb::JOB_STATE_FAILED);
              row.set_reason("no model");
            },
            "failed: no model"},
           {"cancelled", [](auto& row) { row.set_state(pb::JOB_STATE_CANCELLED); }, "cancelled"}}) {
    PoolForTest pool;
    pool.join("m");
    pool.commit("job", [&](pb::JobRow& row) {
      row.set_settled_items(1);
      row.set_total_items(9);
      c.change(row);
    });
    pool.loans.lend("m", "job");
    EXPECT_EQ(why(pool, Reasons(pool.ids), "jo"), c.words) << c.name;
  }
}

TEST(Explain, AJobWhoseRowCannotBeWrittenWaitsForThat) {
  PoolForTest pool;
  pool.commit("job");
  pool.jobs.write({pool.jobs.at("job").row, {}, {}, {}}, pool.effects);
  const WriteId last = pool.effects.commits.back().id;
  (void)pool.jobs.settle(PoolForTest::kStart, {last, Outcome::kFailed, "full"});
  EXPECT_EQ(why(pool, Reasons(pool.ids), "job"),
            "waits: the server's database cannot be written: full");
}

TEST(Explain, WhatHappenedToOneThatIsNamed) {
  PoolForTest pool;
  pool.join("ma");
  pool.quarantine("mb");
  pool.quarantine("ma");
  pool.commit("job");
  Reasons reasons(pool.ids);
  reasons.note_event(pool.jobs.at("job").row, "mb", "failed", 1, pool.effects);
  EXPECT_EQ(explain(pool.situation(), reasons, "job").reasons_size(), 1);
  EXPECT_EQ(explain(pool.situation(), reasons, "ma").reasons_size(), 0);
  EXPECT_EQ(explain(pool.situation(), reasons, "mb").reasons_size(), 1);
  EXPECT_EQ(why(pool, reasons, "mb"), "not connected");
  EXPECT_EQ(why(pool, reasons, "m"), "! several jobs or machines begin so; say more");
  EXPECT_EQ(why(pool, reasons, ""), "! no job and no machine is called ''");
}

}  // namespace
}  // namespace muster::roles::server
