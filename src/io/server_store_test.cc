// What the server's database says is committed is there after it was opened again, and a server
// that another one has followed changes nothing and is told so.
#include "io/server_store.h"

#include <gtest/gtest.h>

#include <future>

#include "io/collecting_inbox.h"

namespace muster::io {
namespace {

constexpr int64_t kDay = 24 * 3600 * 1000, kToday = 20'000 * kDay;

class ServerStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = Path(::testing::TempDir()) / ("server-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static roles::Write job_write(roles::WriteId id, const std::string& job, uint32_t run) {
    pb::JobRow row;
    row.set_job(job);
    row.set_run(run);
    return {id, roles::SaveJob{row}};
  }

  Path folder;
  CollectingInbox answers;
};

TEST_F(ServerStoreTest, TheLatestRunOfAJobIsThereAgainUnderAHigherEpoch) {
  uint64_t epoch = 0;
  {
    auto store = *ServerStore::open(
        folder, answers, [] {}, kToday);
    epoch = store->take_state().pool_epoch;
    for (uint32_t run : {1, 2}) store->write(pb::ROLE_SERVER, job_write(run, "a", run));
    for ([[maybe_unused]] int i : {1, 2}) {
      EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    }
  }
  auto again = *ServerStore::open(
      folder, answers, [] {}, kToday);
  const auto state = again->take_state();
  EXPECT_GT(state.pool_epoch, epoch);
  ASSERT_EQ(state.jobs.size(), 1u);
  EXPECT_EQ(state.jobs[0].run(), 2u);
}

TEST_F(ServerStoreTest, AForgottenTwinIsToldAndChangesNothing) {
  std::promise<void> told;
  auto twin = *ServerStore::open(
      folder, answers,
      [&, once = false]() mutable {
        if (!std::exchange(once, true)) told.set_value();
      },
      kToday);
  {
    auto next = *ServerStore::open(
        folder, answers, [] {}, kToday);
    told.get_future().wait();  // Without having written anything.
    twin->write(pb::ROLE_SERVER, job_write(1, "a", 1));
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kFailed);
  }
  twin.reset();
  EXPECT_TRUE((*ServerStore::open(
                   folder, answers, [] {}, kToday))
                  ->take_state()
                  .jobs.empty());
}

TEST_F(ServerStoreTest, CommitsNothingIntoAFileThatIsNotThereAnyMore) {
  auto store = *ServerStore::open(
      folder, answers, [] {}, kToday);
  const Path away = folder.string() + "-away";
  std::filesystem::rename(folder, away);
  store->write(pb::ROLE_SERVER, job_write(1, "a", 1));
  const auto refused = answers.wait<roles::Stored>();
  EXPECT_EQ(refused.outcome, roles::Outcome::kFailed);
  EXPECT_TRUE(refused.why.starts_with("server.db was moved or deleted; ")) << refused.why;
  std::filesystem::rename(away, folder);
  store->write(pb::ROLE_SERVER, job_write(2, "b", 1));
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  store.reset();
  const auto state = (*ServerStore::open(
                          folder, answers, [] {}, kToday))
                         ->take_state();
  ASSERT_EQ(state.jobs.size(), 1u);
  EXPECT_EQ(state.jobs[0].job(), "b");
}

// One start with a clock 40 days ahead once ended the retention of every job.
TEST_F(ServerStoreTest, BelievesAClockThatJumpsAWeekAndNoMore) {
  const auto ahead = [&](int64_t clock) {
    return (*ServerStore::open(
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

}  // namespace
}  // namespace muster::io
