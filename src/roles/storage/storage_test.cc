// What a store takes for a copy, and when it finds its own disk wanting.
#include "roles/storage/storage.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "wire/no_keys.h"

namespace muster::roles::storage {
namespace {

// It joins the view of another store, which has a run.
class StorageTest : public testing::Test {
 protected:
  Effects join(uint64_t view, const std::string& pool = "") {
    pb::Envelope envelope;
    pb::PoolState& state = *envelope.mutable_pool_state();
    state.set_revision(++revision_);
    state.set_pool(pool);
    state.mutable_view()->set_number(view);
    state.mutable_view()->add_members()->set_machine("other");
    auto* joiner = state.mutable_view()->add_joiners();
    joiner->set_machine("me");
    joiner->set_store_id("store");
    joiner->set_since(view);
    state.add_live()->set_job("job");
    state.mutable_live(0)->set_run(1);
    auto* assignment = state.mutable_live(0)->add_assignments();
    assignment->set_epoch(4);
    assignment->set_coordinator(machine_id(keys.public_key()));
    return storage.step(now, Received{envelope});
  }
  // The coordinator's seal of an epoch; `life`: of its process.
  [[nodiscard]] pb::SignedRecord seal(uint64_t life) const {
    pb::Record record;
    record.set_job("job");
    record.set_run(1);
    record.set_epoch(4);
    record.mutable_seal()->set_life(life);
    return sign_record(record, keys);
  }
  Effects put(const pb::SignedRecord& record) {
    pb::Envelope envelope;
    envelope.mutable_from()->set_role(pb::ROLE_COORDINATOR);
    envelope.mutable_from()->set_machine(machine_id(keys.public_key()));
    envelope.mutable_put()->set_view(7);
    *envelope.mutable_put()->add_records() = record;
    return storage.step(now, Received{envelope});
  }
  // All that the other store has of the run, which is nothing; asked for under that view.
  Effects feed(uint64_t view) {
    pb::Envelope envelope;
    envelope.mutable_from()->set_machine("other");
    pb::Feed& feed = *envelope.mutable_feed();
    feed.set_job("job");
    feed.set_run(1);
    feed.set_copying(true);
    feed.set_at_end(true);
    feed.set_view(view);
    return storage.step(now, Received{envelope});
  }
  static bool says(const Effects& effects, pb::Envelope::BodyCase body) {
    return std::any_of(effects.send.begin(), effects.send.end(),
                       [body](const Send& send) { return send.envelope.body_case() == body; });
  }

  NoKeys keys;
  Storage storage{"me", {.store_id = "store"}, keys};
  Instant now{seconds(100)};

 private:
  uint64_t revision_ = 0;
};

TEST_F(StorageTest, HasCopiedWhatItAskedForSinceItCame) {
  EXPECT_TRUE(says(join(7), pb::Envelope::kSubscribe));
  EXPECT_TRUE(says(feed(7), pb::Envelope::kCaughtUp));
}

TEST_F(StorageTest, ACopyOfAnEarlierStayIsNone) {
  (void)join(7);
  (void)join(9);  // It was out of the view in between.
  EXPECT_FALSE(says(feed(7), pb::Envelope::kCaughtUp)) << "that comes late";
  EXPECT_TRUE(says(feed(9), pb::Envelope::kCaughtUp));
}

TEST_F(StorageTest, ADiskThatHangsWhileItEntersAPoolCannotBeWritten) {
  const Effects entering = join(7, "pool");
  ASSERT_EQ(entering.writes.size(), 1u);
  now += seconds(9);
  EXPECT_FALSE(says(storage.step(now, Tick{}), pb::Envelope::kStoreState));
  now += seconds(2);
  EXPECT_TRUE(says(storage.step(now, Tick{}), pb::Envelope::kStoreState));
}

TEST_F(StorageTest, NamesAMemberThatLetsItCopyNothing) {
  (void)join(7);
  now += seconds(19);
  EXPECT_FALSE(says(storage.step(now, Tick{}), pb::Envelope::kSilentStore));
  now += seconds(1);
  EXPECT_TRUE(says(storage.step(now, Tick{}), pb::Envelope::kSilentStore));
  now += seconds(2);
  EXPECT_TRUE(says(feed(7), pb::Envelope::kCaughtUp)) << "late, but it did";
  now += seconds(30);
  EXPECT_FALSE(says(storage.step(now, Tick{}), pb::Envelope::kSilentStore));
}

TEST_F(StorageTest, OfOneEpochTheFirstSealCounts) {
  (void)join(7);
  EXPECT_TRUE(says(put(seal(1)), pb::Envelope::kPutDone));
  EXPECT_TRUE(says(put(seal(1)), pb::Envelope::kPutDone)) << "repeated";
  const Effects another = put(seal(2));
  EXPECT_TRUE(says(another, pb::Envelope::kPutRefused));
  EXPECT_TRUE(another.writes.empty());
}

TEST_F(StorageTest, KeepsOfARecordWhatIsSigned) {
  (void)join(7);
  pb::SignedRecord more = seal(1);
  more.GetReflection()->MutableUnknownFields(&more)->AddLengthDelimited(99, "unsigned");
  const Effects effects = put(more);
  ASSERT_EQ(effects.writes.size(), 1u);
  const auto& records = std::get<PutRecords>(effects.writes[0].change).records;
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].bytes, seal(1).SerializeAsString());
}

TEST_F(StorageTest, AnotherStoreHasItsReadsInTurn) {
  (void)join(7);
  pb::Envelope ask;
  ask.mutable_from()->set_role(pb::ROLE_STORAGE);
  ask.mutable_from()->set_machine("other");
  ask.mutable_compare_ranges()->set_job("job");
  ask.mutable_compare_ranges()->set_run(1);
  size_t reads = 0;
  for (int n = 0; n < 1000; ++n) reads += storage.step(now, Received{ask}).run.size();
  EXPECT_LE(reads, 100u);
  EXPECT_TRUE(storage.step(now, Received{ask}).run.empty());
  (void)storage.step(now, DigestsRead{ask, std::vector<Digest>()});
  EXPECT_FALSE(storage.step(now, Received{ask}).run.empty()) << "one has been read";
}

}  // namespace
}  // namespace muster::roles::storage
