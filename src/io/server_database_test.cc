// What the server's database says is committed is there after it was opened again, and a server
// that another one has followed changes nothing and is told so.
#include "io/server_database.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <future>

#include "io/collecting_inbox.h"

namespace muster::io {
namespace {

constexpr int64_t kDay = 24 * 3600 * 1000, kToday = 20'000 * kDay;

class ServerDatabaseTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = Path(::testing::TempDir()) / ("server-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static roles::Commit job_write(roles::WriteId id, const std::string& job, uint32_t run) {
    pb::JobRow row;
    row.set_job(job);
    row.set_run(run);
    return {id, {roles::SaveJob{row}}};
  }

  // From beside the server.
  [[nodiscard]] bool run_sql(const std::string& statement) const {
    sqlite3* database = nullptr;
    bool done = sqlite3_open((folder / "server.db").c_str(), &database) == SQLITE_OK;
    done =
        done && sqlite3_exec(database, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    sqlite3_close(database);
    return done;
  }

  Path folder;
  CollectingInbox answers;
};

TEST_F(ServerDatabaseTest, TheLatestRunOfAJobIsThereAgainUnderAHigherEpoch) {
  uint64_t epoch = 0;
  {
    auto store = *ServerDatabase::open(
        folder, answers, [] {}, kToday);
    epoch = store->take_state().pool_epoch;
    for (uint32_t run : {1, 2}) store->commit(pb::ROLE_SERVER, job_write(run, "a", run));
    for ([[maybe_unused]] int i : {1, 2}) {
      EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    }
  }
  auto again = *ServerDatabase::open(
      folder, answers, [] {}, kToday);
  const auto state = again->take_state();
  EXPECT_GT(state.pool_epoch, epoch);
  ASSERT_EQ(state.live.size(), 1u);
  EXPECT_EQ(state.live[0].run(), 2u);
}

TEST_F(ServerDatabaseTest, AForgottenTwinIsToldAndChangesNothing) {
  std::promise<void> told;
  auto twin = *ServerDatabase::open(
      folder, answers,
      [&, once = false]() mutable {
        if (!std::exchange(once, true)) told.set_value();
      },
      kToday);
  {
    auto next = *ServerDatabase::open(
        folder, answers, [] {}, kToday);
    told.get_future().wait();  // Without having written anything.
    twin->commit(pb::ROLE_SERVER, job_write(1, "a", 1));
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kFailed);
  }
  twin.reset();
  EXPECT_TRUE((*ServerDatabase::open(
                   folder, answers, [] {}, kToday))
                  ->take_state()
                  .live.empty());
}

TEST_F(ServerDatabaseTest, CommitsNothingIntoAFileThatIsNotThereAnyMore) {
  auto store = *ServerDatabase::open(
      folder, answers, [] {}, kToday);
  const Path away = folder.string() + "-away";
  std::filesystem::rename(folder, away);
  store->commit(pb::ROLE_SERVER, job_write(1, "a", 1));
  const auto refused = answers.wait<roles::Stored>();
  EXPECT_EQ(refused.outcome, roles::Outcome::kFailed);
  EXPECT_TRUE(refused.why.starts_with("server.db was moved or deleted; ")) << refused.why;
  std::filesystem::rename(away, folder);
  store->commit(pb::ROLE_SERVER, job_write(2, "b", 1));
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  store.reset();
  const auto state = (*ServerDatabase::open(
                          folder, answers, [] {}, kToday))
                         ->take_state();
  ASSERT_EQ(state.live.size(), 1u);
  EXPECT_EQ(state.live[0].job(), "b");
}

// One start with a clock 40 days ahead once ended the retention of every job.
TEST_F(ServerDatabaseTest, BelievesAClockThatJumpsAWeekAndNoMore) {
  const auto ahead = [&](int64_t clock) {
    return (*ServerDatabase::open(
                folder, answers, [] {}, clock))
        ->clock_ahead()
        .count();
  };
  EXPECT_EQ(ahead(kToday), 0) << "a new pool counts from its clock";
  EXPECT_EQ(ahead(kToday + 6 * kDay), 0);
  for (int starts = 0; starts < 9; ++starts) EXPECT_EQ(ahead(kToday + 46 * kDay), 39 * kDay);
  EXPECT_EQ(ahead(kToday + 6 * kDay), 0) << "the clock was put right";
  EXPECT_EQ(ahead(kToday + 7 * kDay), 0);
}

pb::JobRow row_of(const std::string& job, uint32_t run, pb::JobState state, int64_t accepted_ms,
                  int64_t ended_ms) {
  pb::JobRow row;
  row.set_job(job);
  row.set_run(run);
  row.set_state(state);
  row.set_accepted_at_ms(accepted_ms);
  row.set_ended_at_ms(ended_ms);
  row.set_frozen_digest("digest");
  return row;
}

pb::Reason reason_of(const std::string& job, uint32_t run, uint64_t number, int64_t at_ms) {
  pb::Reason reason;
  reason.set_job(job);
  reason.set_run(run);
  reason.set_number(number);
  reason.set_machine("m" + std::to_string(number));
  reason.set_at_ms(at_ms);
  return reason;
}

// Three jobs: "aa" is over, in its second run; "ab" goes on; "b" is over.
roles::Commit three_jobs() {
  return {
      1,
      {roles::SaveJob{row_of("aa", 1, pb::JOB_STATE_DONE, 10, 20)},
       roles::SaveReason{reason_of("aa", 1, 2, 15)},
       roles::SaveJob{row_of("aa", 2, pb::JOB_STATE_FAILED, 30, 60)},
       roles::SaveReason{reason_of("aa", 2, 2, 50)},
       roles::SaveJob{row_of("ab", 1, pb::JOB_STATE_RUNNING, 40, 0)},
       roles::SaveReason{reason_of("ab", 1, 1, 41)}, roles::SaveReason{reason_of("ab", 1, 2, 42)},
       roles::SaveJob{row_of("b", 1, pb::JOB_STATE_CANCELLED, 20, 70)}}};
}

std::string names(const std::vector<pb::JobRow>& rows) {
  std::string names;
  for (const pb::JobRow& row : rows) names += row.job() + "/" + std::to_string(row.run()) + " ";
  return names;
}

TEST_F(ServerDatabaseTest, WhatIsOverIsFoundThereByWhoAsks) {
  auto database = *ServerDatabase::open(
      folder, answers, [] {}, kToday);
  database->commit(pb::ROLE_SERVER, three_jobs());
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  const auto find = [&](const std::string& named, const std::string& machine = "") {
    database->find(pb::ROLE_SERVER, {7, named, machine});
    const auto answer = answers.wait<roles::JobsFound>();
    EXPECT_EQ(answer.call, 7u);
    return answer.found.value_or(roles::FoundJobs());
  };
  const roles::FoundJobs all = find("");
  EXPECT_EQ(names(all.rows), "ab/1 aa/2 b/1 ") << "the latest run of each, accepted last first";
  EXPECT_EQ(all.in_all, 3u);
  const roles::FoundJobs one = find("aa", "m2");
  EXPECT_EQ(names(one.rows), "aa/2 ");
  ASSERT_EQ(one.reasons.size(), 1u) << "of the run before nothing is told";
  EXPECT_EQ(one.reasons[0].at_ms(), 50);
  ASSERT_EQ(one.reasons_of_machine.size(), 2u);
  EXPECT_EQ(one.reasons_of_machine[0].job(), "ab") << "by time";
  EXPECT_EQ(names(find("a").rows), "aa/2 ab/1 ");
  EXPECT_TRUE(find("a").reasons.empty());
  for (const char* nothing : {"c", "aaa", "a%", "' OR 1 = 1 --"}) {
    EXPECT_TRUE(find(nothing).rows.empty()) << nothing;
  }
  EXPECT_TRUE(run_sql("UPDATE job SET row = 'zz' WHERE job = 'b'"));
  database->find(pb::ROLE_SERVER, {8, "b", ""});
  const auto unreadable = answers.wait<roles::JobsFound>();
  ASSERT_FALSE(unreadable.found);
  EXPECT_NE(unreadable.found.error().message.find("where job = 'b' AND run = 1 cannot be read"),
            std::string::npos)
      << unreadable.found.error().message;
}

TEST_F(ServerDatabaseTest, AServerBeginsWithWhatGoesOnAndWhatIsKept) {
  for (const bool is_old : {false, true}) {
    auto database = *ServerDatabase::open(
        folder, answers, [] {}, kToday);
    database->commit(pb::ROLE_SERVER, three_jobs());
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    database.reset();
    // As it was before these were columns.
    if (is_old) {
      EXPECT_TRUE(
          run_sql("DROP INDEX job_accepted; DROP INDEX job_ended; DROP INDEX reason_machine;"
                  "DROP INDEX reason_at;"
                  "ALTER TABLE job DROP COLUMN accepted_ms; ALTER TABLE job DROP COLUMN ended_ms;"
                  "ALTER TABLE reason DROP COLUMN machine; ALTER TABLE reason DROP COLUMN at_ms;"));
    }
    database = *ServerDatabase::open(
        folder, answers, [] {}, kToday);
    const auto state = database->take_state();
    EXPECT_EQ(names(state.live), "ab/1 ");
    ASSERT_EQ(state.kept.size(), 2u);
    EXPECT_EQ(state.kept[0].run.job(), "b") << "what ended last first";
    EXPECT_EQ(state.kept[1].ended_at_ms, 60);
    EXPECT_EQ(state.kept[1].run.run(), 2u);
    EXPECT_EQ(state.reasons.size(), 2u) << "of what goes on alone";
    database->find(pb::ROLE_SERVER, {9, "", "m2"});
    const auto found = answers.wait<roles::JobsFound>().found.value_or(roles::FoundJobs());
    EXPECT_EQ(names(found.rows), "ab/1 aa/2 b/1 ");
    EXPECT_EQ(found.reasons_of_machine.size(), 2u);
  }
}

// All of a commit, or none: what it saves belongs together.
TEST_F(ServerDatabaseTest, ACommitOfSeveralChangesIsOneTransaction) {
  auto database = *ServerDatabase::open(
      folder, answers, [] {}, kToday);
  pb::View view;
  view.set_number(7);
  roles::Commit commit = job_write(1, "a", 1);
  commit.changes.push_back(roles::SaveView{view});
  database->commit(pb::ROLE_SERVER, commit);
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  EXPECT_TRUE(
      run_sql("CREATE TRIGGER no_more BEFORE UPDATE OF view ON pool "
              "BEGIN SELECT RAISE(ABORT, 'no more views'); END"));
  view.set_number(8);
  commit = job_write(2, "b", 1);
  commit.changes.push_back(roles::SaveView{view});
  database->commit(pb::ROLE_SERVER, commit);
  const auto stored = answers.wait<roles::Stored>();
  EXPECT_EQ(stored.outcome, roles::Outcome::kFailed);
  EXPECT_NE(stored.why.find("no more views"), std::string::npos) << stored.why;
  database.reset();
  const auto state = (*ServerDatabase::open(
                          folder, answers, [] {}, kToday))
                         ->take_state();
  ASSERT_EQ(state.live.size(), 1u);
  EXPECT_EQ(state.live[0].job(), "a");
  EXPECT_EQ(state.view.number(), 7u);
}

// It used to be left out: an accepted job vanished without a word.
TEST_F(ServerDatabaseTest, ARowThatCannotBeReadIsNamedWithWhatToDo) {
  {
    auto database = *ServerDatabase::open(
        folder, answers, [] {}, kToday);
    database->commit(pb::ROLE_SERVER, job_write(1, "a", 3));
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  }
  for (const char* row : {"0g", "0", "ffff", "zz"}) {
    EXPECT_TRUE(run_sql("UPDATE job SET row = '" + std::string(row) + "'"));
    const auto opened = ServerDatabase::open(
        folder, answers, [] {}, kToday);
    ASSERT_FALSE(opened) << row;
    EXPECT_EQ(opened.error().code, Code::kDisk);
    const std::string& why = opened.error().message;
    EXPECT_NE(why.find("table job where job = 'a' AND run = 3 cannot be read"), std::string::npos)
        << why;
    EXPECT_NE(why.find("DELETE FROM job WHERE job = 'a' AND run = 3"), std::string::npos) << why;
  }
  EXPECT_TRUE(run_sql("DELETE FROM job WHERE job = 'a' AND run = 3"));
  EXPECT_TRUE(ServerDatabase::open(
      folder, answers, [] {}, kToday));
}

}  // namespace
}  // namespace muster::io
