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
  ASSERT_EQ(state.jobs.size(), 1u);
  EXPECT_EQ(state.jobs[0].run(), 2u);
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
                  .jobs.empty());
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
  ASSERT_EQ(state.jobs.size(), 1u);
  EXPECT_EQ(state.jobs[0].job(), "b");
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
  ASSERT_EQ(state.jobs.size(), 1u);
  EXPECT_EQ(state.jobs[0].job(), "a");
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
