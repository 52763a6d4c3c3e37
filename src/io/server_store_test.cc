// What the server's database says is committed is there after it was opened again, and a server
// that another one has followed changes nothing and is told so.
#include "io/server_store.h"

#include <gtest/gtest.h>

#include <future>

#include "io/collecting_inbox.h"

namespace muster::io {
namespace {

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
    auto store = *ServerStore::open(folder, answers, [] {});
    epoch = store->take_state().pool_epoch;
    for (uint32_t run : {1, 2}) store->write(pb::ROLE_SERVER, job_write(run, "a", run));
    for ([[maybe_unused]] int i : {1, 2}) {
      EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    }
  }
  auto again = *ServerStore::open(folder, answers, [] {});
  const auto state = again->take_state();
  EXPECT_GT(state.pool_epoch, epoch);
  ASSERT_EQ(state.jobs.size(), 1u);
  EXPECT_EQ(state.jobs[0].run(), 2u);
}

TEST_F(ServerStoreTest, AForgottenTwinIsToldAndChangesNothing) {
  std::promise<void> told;
  auto twin = *ServerStore::open(folder, answers, [&, once = false]() mutable {
    if (!std::exchange(once, true)) told.set_value();
  });
  {
    auto next = *ServerStore::open(folder, answers, [] {});
    told.get_future().wait();  // Without having written anything.
    twin->write(pb::ROLE_SERVER, job_write(1, "a", 1));
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kFailed);
  }
  twin.reset();
  EXPECT_TRUE((*ServerStore::open(folder, answers, [] {}))->take_state().jobs.empty());
}

}  // namespace
}  // namespace muster::io
