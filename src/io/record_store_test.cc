// What the record store says is written is there after it was opened again; a feed is cut into
// batches and ends; a broken file is set aside.
#include "io/record_store.h"

#include <gmock/gmock.h>

#include <fstream>

#include "io/collecting_inbox.h"
#include "roles/record.h"

namespace muster::io {
namespace {

class RecordStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = Path(::testing::TempDir()) / ("records-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static roles::StoredRecord record(const std::string& body) {
    pb::SignedRecord signed_record;
    signed_record.set_body(body);
    return {roles::record_digest(signed_record), "job", 1, "author",
            signed_record.SerializeAsString()};
  }
  pb::Feed read(RecordStore& store, uint64_t cursor) {
    roles::ReadRecords ask;
    ask.request.set_job("job");
    ask.request.set_run(1);
    ask.request.set_cursor(cursor);
    store.read(pb::ROLE_STORAGE, ask);
    return *answers.wait<roles::RecordsRead>().feed;
  }

  Path folder;
  CollectingInbox answers;
};

TEST_F(RecordStoreTest, KeepsWhatItSaysItWroteAndItsIdentity) {
  std::string id;
  {
    auto store = *RecordStore::open(folder, answers);
    id = store->state().store_id;
    store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{record("a"), record("b")}}});
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    store->write(pb::ROLE_STORAGE, {2, roles::PutRecords{{record("b"), record("c")}}});
    EXPECT_EQ(answers.wait<roles::Stored>().id, 2u);
  }
  auto store = *RecordStore::open(folder, answers);
  EXPECT_EQ(store->state().store_id, id);
  const pb::Feed feed = read(*store, 0);
  ASSERT_EQ(feed.records_size(), 3);  // Twice is once, in the order of the first writing.
  EXPECT_EQ(feed.records(2).body(), "c");
  EXPECT_TRUE(feed.at_end());
  EXPECT_EQ(read(*store, feed.next()).records_size(), 0);
}

TEST_F(RecordStoreTest, CutsAFeedIntoBatches) {
  auto store = *RecordStore::open(folder, answers);
  std::vector<roles::StoredRecord> records;
  for (int i = 0; i < 10; ++i)
    records.push_back(record(std::to_string(i) + std::string(60'000, 'x')));
  store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{records}});
  answers.wait<roles::Stored>();
  int seen = 0, batches = 0;
  for (uint64_t cursor = 0, end = 0; end == 0; ++batches) {
    const pb::Feed feed = read(*store, cursor);
    EXPECT_EQ(feed.from(), cursor);
    seen += feed.records_size();
    cursor = feed.next();
    end = feed.at_end() ? 1 : 0;
  }
  EXPECT_EQ(seen, 10);
  EXPECT_GE(batches, 3);
}

TEST_F(RecordStoreTest, NamesARunsRecordsAndServesThoseThatArePicked) {
  auto store = *RecordStore::open(folder, answers);
  roles::StoredRecord other = record("c");
  other.run = 2;
  store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{record("a"), record("b"), other}}});
  answers.wait<roles::Stored>();
  pb::Envelope about;
  about.mutable_holds()->set_job("job");
  store->read_digests(pb::ROLE_STORAGE, {"job", 1, about});
  const auto named = answers.wait<roles::DigestsRead>();
  EXPECT_TRUE(named.about.has_holds());
  EXPECT_THAT(*named.digests,
              ::testing::UnorderedElementsAre(record("a").digest, record("b").digest));
  roles::ReadRecords ask;
  ask.request.set_job("job");
  ask.request.set_run(1);
  for (const auto& wanted : {record("b"), record("c"), record("none")}) {
    ask.request.add_digests(std::string(wanted.digest.view()));
  }
  store->read(pb::ROLE_STORAGE, ask);
  const pb::Feed feed = *answers.wait<roles::RecordsRead>().feed;
  EXPECT_TRUE(feed.picked());
  ASSERT_EQ(feed.records_size(), 1);  // That of another run is not of this one.
  EXPECT_EQ(feed.records(0).body(), "b");
}

TEST_F(RecordStoreTest, NamesADamagedRecordAndIsMendedByTheSameRecord) {
  auto store = *RecordStore::open(folder, answers);
  roles::StoredRecord good = record("a"), damaged = good;
  damaged.bytes = record("b").bytes;  // The name of one, the bytes of another.
  store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{damaged}}});
  answers.wait<roles::Stored>();
  roles::ReadRecords ask;
  ask.request.set_job("job");
  ask.request.set_run(1);
  store->read(pb::ROLE_STORAGE, ask);
  const auto read_damaged = answers.wait<roles::RecordsRead>();
  EXPECT_EQ(read_damaged.feed->records_size(), 0);
  EXPECT_EQ(read_damaged.damaged, std::vector<Digest>{good.digest});
  store->write(pb::ROLE_STORAGE, {2, roles::PutRecords{{good}}});
  answers.wait<roles::Stored>();
  EXPECT_EQ(read(*store, 0).records_size(), 1);
  store->write(pb::ROLE_STORAGE, {3, roles::DropRecords{{good.digest}}});
  answers.wait<roles::Stored>();
  EXPECT_EQ(read(*store, 0).records_size(), 0);
}

TEST_F(RecordStoreTest, KeepsSeals) {
  roles::StoredRecord seal = record("seal");
  seal.seals = 7;
  {
    auto store = *RecordStore::open(folder, answers);
    store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{seal}}});
    answers.wait<roles::Stored>();
  }
  const auto store = *RecordStore::open(folder, answers);
  EXPECT_EQ(store->state().seals.at({"job", 1}), 7u);
}

// What it held is on the other stores; under its old id it would be believed to hold it still.
TEST_F(RecordStoreTest, SetsADamagedFileAsideAndIsAnotherStore) {
  std::string id;
  {
    const auto store = *RecordStore::open(folder, answers);
    id = store->state().store_id;
    EXPECT_TRUE(store->set_aside().empty());
  }
  std::fstream file(folder / "records.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file << std::string(3000, 'z');
  file.close();
  for (const char* name : {"records.damaged-1.db", "records.damaged-2.db"}) {
    auto store = *RecordStore::open(folder, answers);
    EXPECT_NE(store->state().store_id, id);
    EXPECT_EQ(store->set_aside(), folder / name);
    store.reset();
    std::ofstream(folder / "records.db") << std::string(5000, 'z');
  }
}

}  // namespace
}  // namespace muster::io
