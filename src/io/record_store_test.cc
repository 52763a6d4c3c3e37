// What the record store says is written is there after it was opened again; a feed is cut into
// batches and ends; a broken file is set aside.
#include "io/record_store.h"

#include <gmock/gmock.h>

#include <fstream>

#include "io/collecting_inbox.h"
#include "io/sqlite.h"
#include "wire/record.h"

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
    return {wire::record_digest(signed_record),
            {"job", 1},
            "author",
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

// Two of one id would each be taken for what the other has acknowledged.
TEST_F(RecordStoreTest, ACopyIsAnotherStore) {
  std::string id;
  {
    auto store = *RecordStore::open(folder, answers);
    id = store->state().store_id;
    EXPECT_FALSE(store->is_copy());
    store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{record("a")}}});
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  }
  const Path copy = folder / "copy", moved = folder / "moved";
  std::filesystem::create_directories(copy);
  std::filesystem::copy_file(folder / "records.db", copy / "records.db");
  std::string copys_id;
  {
    auto store = *RecordStore::open(copy, answers);
    copys_id = store->state().store_id;
    EXPECT_NE(copys_id, id);
    EXPECT_TRUE(store->is_copy());
    EXPECT_EQ(read(*store, 0).records_size(), 1);
  }
  std::filesystem::rename(copy, moved);
  EXPECT_EQ((*RecordStore::open(moved, answers))->state().store_id, copys_id) << "settled, moved";
  EXPECT_EQ((*RecordStore::open(folder, answers))->state().store_id, id);
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
  other.run.run = 2;
  store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{record("a"), record("b"), other}}});
  answers.wait<roles::Stored>();
  pb::Envelope about;
  about.mutable_missing_digests()->set_job("job");
  store->read_digests(pb::ROLE_STORAGE, {{"job", 1}, about});
  const auto named = answers.wait<roles::DigestsRead>();
  EXPECT_TRUE(named.about.has_missing_digests());
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
  EXPECT_EQ(store->state().seals.at({"job", 1}).epoch, 7u);
}

// Six messages of 100 bytes once left a pool without a store.
TEST_F(RecordStoreTest, ARequestsMistakeIsNotTheDisks) {
  auto store = *RecordStore::open(folder, answers);
  store->write(pb::ROLE_STORAGE, {1, roles::PutRecords{{record("a")}}});
  answers.wait<roles::Stored>();
  roles::ReadRecords ask;
  ask.request.set_job("job");
  ask.request.set_run(1);
  for (const std::string& odd : {std::string("x"), std::string(), std::string(33, 'x')}) {
    ask.request.add_digests(odd);
  }
  ask.request.add_digests(std::string(record("a").digest.view()));
  store->read(pb::ROLE_STORAGE, ask);
  EXPECT_EQ(answers.wait<roles::RecordsRead>().feed->records_size(), 1);

  ask.request.clear_digests();
  for (const uint64_t cursor : {uint64_t{INT64_MAX} + 1, UINT64_MAX}) {
    const pb::Feed feed = read(*store, cursor);
    EXPECT_EQ(feed.records_size(), 0) << "after the end comes nothing";
    EXPECT_TRUE(feed.at_end());
  }
  for (const std::string& job : {std::string(), std::string("a\0b", 3), std::string("\xff';--"),
                                 std::string(100'000, 'j')}) {
    ask.request.set_job(job);
    store->read(pb::ROLE_STORAGE, ask);
    EXPECT_EQ(answers.wait<roles::RecordsRead>().feed->records_size(), 0);
    roles::StoredRecord odd = record("of an odd job " + job);
    odd.run.job = job;
    store->write(pb::ROLE_STORAGE, {2, roles::PutRecords{{odd}}});
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    store->read(pb::ROLE_STORAGE, ask);
    EXPECT_EQ(answers.wait<roles::RecordsRead>().feed->records_size(), 1);
  }
  store->write(pb::ROLE_STORAGE, {3, roles::KeepRuns{{{"job", 1}}}});
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  store->read(pb::ROLE_STORAGE, ask);
  EXPECT_EQ(answers.wait<roles::RecordsRead>().feed->records_size(), 0);
  EXPECT_EQ(read(*store, 0).records_size(), 1);
}

TEST_F(RecordStoreTest, WhatADiskThatHangsCannotTakeIsRefusedAtOnce) {
  auto store = *RecordStore::open(folder, answers, {.entries = 2, .bytes = 1000});
  sqlite3* hang = nullptr;  // Holds the lock that the store's commit waits for.
  ASSERT_EQ(sqlite3_open((folder / "records.db").c_str(), &hang), SQLITE_OK);
  ASSERT_TRUE(execute(hang, "BEGIN IMMEDIATE"));
  for (const roles::WriteId id : {1, 2, 3}) {
    store->write(pb::ROLE_STORAGE, {id, roles::PutRecords{{record(std::to_string(id))}}});
  }
  const auto refused = answers.wait<roles::Stored>();
  EXPECT_EQ(refused.id, 3u);
  EXPECT_EQ(refused.outcome, roles::Outcome::kFailed);
  EXPECT_EQ(refused.why, "the disk does not keep up");
  ASSERT_TRUE(execute(hang, "COMMIT"));
  sqlite3_close(hang);
  for (const roles::WriteId id : {1, 2}) {
    const auto stored = answers.wait<roles::Stored>();
    EXPECT_EQ(stored.id, id);
    EXPECT_EQ(stored.outcome, roles::Outcome::kDone) << stored.why;
  }
  // What was refused is not counted on, neither are its bytes.
  store->write(pb::ROLE_STORAGE, {4, roles::PutRecords{{record(std::string(1001, 'x'))}}});
  EXPECT_EQ(answers.wait<roles::Stored>().why, "the disk does not keep up");
  store->write(pb::ROLE_STORAGE, {5, roles::PutRecords{{record(std::string(500, 'x'))}}});
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
}

TEST_F(RecordStoreTest, WritesNothingIntoAFileThatIsNotThereAnyMore) {
  const auto outcome = [&](RecordStore& store) {
    static roles::WriteId id = 0;
    store.write(pb::ROLE_STORAGE, {++id, roles::PutRecords{{record(std::to_string(id))}}});
    return answers.wait<roles::Stored>();
  };
  auto store = *RecordStore::open(folder, answers);
  EXPECT_EQ(outcome(*store).outcome, roles::Outcome::kDone);
  const Path away = folder.string() + "-away";
  std::filesystem::rename(folder, away);
  EXPECT_EQ(outcome(*store).outcome, roles::Outcome::kFailed);
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(away / "records.db", folder / "records.db");  // Another file.
  const auto refused = outcome(*store);
  EXPECT_EQ(refused.outcome, roles::Outcome::kFailed);
  EXPECT_THAT(refused.why, ::testing::StartsWith("records.db was moved or deleted; "));
  std::filesystem::remove_all(folder);
  std::filesystem::rename(away, folder);
  EXPECT_EQ(outcome(*store).outcome, roles::Outcome::kDone) << "it is back";
  store.reset();
  EXPECT_EQ(read(**RecordStore::open(folder, answers), 0).records_size(), 2);
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
