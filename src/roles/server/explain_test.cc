#include "roles/server/explain.h"

#include <gtest/gtest.h>

#include <functional>

#include "roles/server/pool_for_test.h"

namespace muster::roles::server {
namespace {

std::string why(const PoolForTest& pool, const Reasons& reasons, const std::string& what) {
  const pb::WhyReply reply = explain(pool.situation(), reasons, what, pool.found);
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
            "quarantined: it said what it may not, ten times in a minute (a lie); 'muster pardon "
            "m' "
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
  const auto count = [&](const std::string& what) {
    return explain(pool.situation(), reasons, what, pool.found).reasons_size();
  };
  EXPECT_EQ(count("job"), 1);
  EXPECT_EQ(count("ma"), 0);
  EXPECT_EQ(count("mb"), 1);
  EXPECT_EQ(why(pool, reasons, "mb"), "not connected");
  EXPECT_EQ(why(pool, reasons, "m"), "! several jobs or machines begin so; say more");
  EXPECT_EQ(why(pool, reasons, ""), "! no job and no machine is called ''");
}

TEST(Explain, WhatHappenedToOneThatIsOverIsWhatTheDatabaseHas) {
  PoolForTest pool;
  pool.join("m");
  pool.commit("j1", [](pb::JobRow& row) { row.set_state(pb::JOB_STATE_CANCELLED); });
  pool.commit("j2");
  Reasons reasons(pool.ids);
  pool.found.reasons.resize(3);
  pool.found.reasons_of_machine.resize(2);
  const pb::WhyReply over = explain(pool.situation(), reasons, "j1", pool.found);
  EXPECT_EQ(over.what(), "j1");
  EXPECT_EQ(over.now(), "cancelled");
  EXPECT_EQ(over.reasons_size(), 3);
  EXPECT_EQ(explain(pool.situation(), reasons, "m", pool.found).reasons_size(), 2);
  EXPECT_EQ(why(pool, reasons, "j"), "! several jobs or machines begin so; say more");
}

TEST(Explain, TheDatabaseIsAskedOnlyWhereItIsNeeded) {
  PoolForTest pool;
  pool.join("m1");
  pool.join("m2");
  pool.commit("job");
  EXPECT_FALSE(search_for(pool.situation(), "job")) << "it is all known";
  EXPECT_FALSE(search_for(pool.situation(), ""));
  EXPECT_EQ(search_for(pool.situation(), "jo")->named, "jo") << "others may begin so";
  EXPECT_EQ(search_for(pool.situation(), "m1")->machine, "m1");
  EXPECT_EQ(search_for(pool.situation(), "m")->machine, "");
}

TEST(Explain, SaysWhatItCanWhereTheDatabaseCannotBeRead) {
  PoolForTest pool;
  pool.join("m");
  pool.commit("job");
  const Reasons reasons(pool.ids);
  const auto words = [&](const std::string& what) {
    const pb::WhyReply reply =
        explain(pool.situation(), reasons, what, fail(Code::kTryLater, "it is away"));
    return reply.has_failure() ? "! " + reply.failure().message() : reply.now();
  };
  EXPECT_EQ(words("jo"),
            "running: 0 of 0 items settled, 0 machines lent; the database cannot be read: it is "
            "away");
  EXPECT_EQ(words("m"),
            "idle; job job wants no more machines; the database cannot be read: it is away");
  EXPECT_EQ(words("x"), "! the database cannot be read: it is away");
}

}  // namespace
}  // namespace muster::roles::server
