#include "roles/storage/readers.h"

#include <gtest/gtest.h>

#include "wire/envelope.h"

namespace muster::roles::storage {
namespace {

pb::Subscribe of(const std::string& job, uint32_t run = 1, uint64_t cursor = 0) {
  pb::Subscribe request;
  request.set_job(job);
  request.set_run(run);
  request.set_cursor(cursor);
  return request;
}
const pb::Address kCoordinator = address(pb::ROLE_COORDINATOR, "c");
const pb::Address kStore = address(pb::ROLE_STORAGE, "s");

// The cursors that are read from when these jobs have news.
std::vector<uint64_t> woken(Readers& readers, const std::set<std::string>& jobs) {
  Effects effects;
  readers.wake(jobs, effects);
  std::vector<uint64_t> cursors;
  for (const Command& command : effects.run) {
    cursors.push_back(std::get<ReadRecords>(command).request.cursor());
  }
  return cursors;
}
using Cursors = std::vector<uint64_t>;

TEST(Readers, AreReadForWhenThereIsNewsOfTheirJob) {
  Readers readers;
  readers.wait(kCoordinator, of("j", 1, 5));
  readers.wait(kStore, of("k", 1, 6));
  EXPECT_EQ(woken(readers, {"another"}), Cursors{});
  EXPECT_EQ(woken(readers, {"j", "another"}), Cursors{5});
  EXPECT_EQ(woken(readers, {"j"}), Cursors{}) << "once";
  EXPECT_EQ(readers.waiting(), 1u);
}

TEST(Readers, WhoAsksAnewWaitsOnceForARun) {
  Readers readers;
  readers.wait(kCoordinator, of("j", 1, 5));
  readers.wait(kStore, of("j", 1, 6));
  readers.wait(kCoordinator, of("j", 2, 7));
  readers.forget(kCoordinator, of("j", 1, 9));
  EXPECT_EQ(woken(readers, {"j"}), (Cursors{6, 7}));
}

TEST(Readers, OfWhatIsOverNobodyWaits) {
  Readers readers;
  readers.wait(kCoordinator, of("j", 1));
  readers.wait(kCoordinator, of("j", 2));
  readers.keep_only([](const RunKey& run) { return run == RunKey{"j", 2}; });
  EXPECT_EQ(readers.waiting(), 1u);
}

TEST(Readers, AnotherStoreWaitsForItsTurn) {
  Readers readers;
  for (size_t i = 0; i < Readers::kMostReads; ++i) EXPECT_TRUE(readers.begin_read(kStore));
  EXPECT_FALSE(readers.begin_read(kStore));
  EXPECT_TRUE(readers.begin_read(address(pb::ROLE_STORAGE, "t"))) << "each of its own";
  EXPECT_TRUE(readers.begin_read(address(pb::ROLE_COORDINATOR, "s"))) << "a coordinator always";
  readers.end_read(address(pb::ROLE_COORDINATOR, "s"));
  EXPECT_FALSE(readers.begin_read(kStore));
  readers.end_read(kStore);
  EXPECT_TRUE(readers.begin_read(kStore));
}

TEST(Readers, SoManyMayWait) {
  Readers readers;
  for (uint32_t run = 0; run < Readers::kMost + 2; ++run) readers.wait(kStore, of("j", run));
  EXPECT_EQ(readers.waiting(), Readers::kMost);
}

}  // namespace
}  // namespace muster::roles::storage
