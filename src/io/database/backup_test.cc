// What a backup has is what there was, in either kind of database; and what is no whole backup
// changes nothing.
#include "io/database/backup.h"

#include <gtest/gtest.h>

#include "io/collecting_inbox.h"
#include "io/database/databases_for_test.h"
#include "io/database/pool_authority.h"
#include "io/database/server_database.h"

namespace muster::io {
namespace {

constexpr int64_t kNow = 1'800'000'000;
const auto kKey = *identity::PoolKey::parse(std::string(32, 'k'));

// The parameter is where the pool is; it is restored into the other kind.
class BackupTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    file = folder / "pool.backup";
    for (const Path& path : {here, there}) std::filesystem::create_directories(folder / path);
  }
  [[nodiscard]] DatabaseAddress other() const {
    return is_postgres() ? DatabaseAddress::of_file(folder / "restored.db") : postgres_;
  }

  std::unique_ptr<ServerDatabase> open(const DatabaseAddress& address) {
    auto opened = ServerDatabase::open(address, answers, {}, kNow * 1000);
    if (opened) return std::move(*opened);
    ADD_FAILURE() << opened.error().message;
    std::abort();
  }
  // A pool with some of everything, that its server has open.
  std::unique_ptr<ServerDatabase> make_pool(const std::optional<identity::PoolKey>& key = {}) {
    const auto authority = open_authority(address(), folder / here, key, kNow);
    EXPECT_TRUE(authority) << authority.error().message;
    certificate = authority->certificate();
    auto database = open(address());
    database->commit(pb::ROLE_SERVER, {1, everything()});
    EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
    return database;
  }
  static std::vector<roles::Change> everything() {
    pb::JobRow job;
    job.set_job("ab");
    job.set_run(2);
    job.set_state(pb::JOB_STATE_RUNNING);
    job.set_researcher("ad\u00e9");
    job.mutable_result()->add_tasks()->add_metrics()->set_value(1.0 / 3);
    pb::MachineRow machine;
    machine.set_machine("m1");
    machine.set_agreed(1ull << 40);
    pb::Reason reason;
    reason.set_job("ab");
    reason.set_run(2);
    reason.set_number(1);
    reason.set_text(std::string("nul\0 and\nnew \"line\"", 19));
    pb::TokenRow token;
    token.set_id("t1");
    token.set_hash(std::string("\0\xff", 2));
    pb::View view;
    view.set_number(7);
    return {roles::SaveJob{job}, roles::SaveMachine{machine}, roles::SaveReason{reason},
            roles::SaveToken{token}, roles::SaveView{view}};
  }
  // All that a server begins with, but for its epoch.
  std::string state_of(const DatabaseAddress& address) {
    const auto database = open(address);
    const auto state = database->take_state();
    std::string text = state.pool.SerializeAsString() + state.view.SerializeAsString();
    for (const auto& row : state.live) text += row.SerializeAsString();
    for (const auto& row : state.machines) text += row.SerializeAsString();
    for (const auto& row : state.reasons) text += row.SerializeAsString();
    for (const auto& row : state.tokens) text += row.SerializeAsString();
    return text;
  }
  [[nodiscard]] Status back_up() const {
    return write_backup(address(), folder / here, file, kNow * 1000).map([](const auto&) {});
  }
  [[nodiscard]] Status restore(const RestoreOptions& options = {}) const {
    return restore_backup(file, other(), folder / there, options).map([](const auto&) {});
  }
  [[nodiscard]] std::string restored_certificate(
      const std::optional<identity::PoolKey>& key) const {
    const auto authority = open_authority(other(), folder / there, key, kNow);
    return authority ? authority->certificate() : authority.error().message;
  }

  const Path here = "here", there = "there";
  Path file;
  std::string certificate;
  CollectingInbox answers;

 private:
  const DatabaseAddress postgres_ = PostgresForTest::get().new_database();
};

INSTANTIATE_TEST_SUITE_P(From, BackupTest, ::testing::Values(Kind::kSqlite, Kind::kPostgres),
                         name_of_kind);

TEST_P(BackupTest, WhatIsRestoredIsWhatThereWas) {
  auto server = make_pool();
  const Status done = back_up();
  ASSERT_TRUE(done) << done.error().message;
  server->commit(pb::ROLE_SERVER, {2, {roles::DropToken{"t1"}}});
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone) << "the server goes on";
  server->commit(pb::ROLE_SERVER, {3, everything()});
  EXPECT_EQ(answers.wait<roles::Stored>().outcome, roles::Outcome::kDone);
  server.reset();
  const Status restored = restore();
  ASSERT_TRUE(restored) << restored.error().message;
  EXPECT_EQ(state_of(other()), state_of(address()));
  EXPECT_EQ(restored_certificate({}), certificate);
  const auto mode = std::filesystem::status(file).permissions();
  EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_P(BackupTest, TheKeyStaysSealedOrIsSealed) {
  make_pool(kKey).reset();
  ASSERT_TRUE(back_up());
  EXPECT_EQ(read_file(file, 1 << 20)->find("PRIVATE KEY"), std::string::npos);
  EXPECT_EQ(restore({*identity::PoolKey::parse(std::string(32, 'x'))}).error().code,
            Code::kPermission);
  ASSERT_TRUE(restore());
  EXPECT_EQ(restored_certificate(kKey), certificate);
}

TEST_P(BackupTest, AKeyThatWasInAFolderCanBeSealed) {
  make_pool().reset();
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(restore({kKey}));
  EXPECT_EQ(restored_certificate(kKey), certificate);
  EXPECT_FALSE(std::filesystem::exists(folder / there / "authority.key"));
}

TEST_P(BackupTest, APoolThatIsThereIsReplacedOnlyWhenTold) {
  make_pool().reset();
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(restore());
  const uint64_t epoch = open(other())->take_state().pool_epoch;
  EXPECT_EQ(restore().error().code, Code::kFailed);
  ASSERT_TRUE(restore({.replace = true}));
  EXPECT_GT(open(other())->take_state().pool_epoch, epoch) << "who had it has it no more";
}

TEST_P(BackupTest, APoolFromBeforeSchemasHadNumbersIsSeen) {
  make_pool().reset();
  ASSERT_TRUE(back_up());
  const auto old = open_connection(other());
  old->session() << "CREATE TABLE pool (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL, "
                    "view_number BIGINT NOT NULL, view TEXT NOT NULL)";
  old->session() << "INSERT INTO pool (id, epoch, view_number, view) VALUES (1, 41, 0, '')";
  EXPECT_EQ(restore().error().code, Code::kFailed);
  long long epoch = 0;
  old->session() << "SELECT epoch FROM pool", soci::into(epoch);
  EXPECT_EQ(epoch, 41) << "and is as it was";
  ASSERT_TRUE(restore({.replace = true}));
  EXPECT_GT(open(other())->take_state().pool_epoch, 41u);
}

TEST_P(BackupTest, AnotherPoolsKeyIsNotWrittenOver) {
  make_pool().reset();
  ASSERT_TRUE(back_up());
  ASSERT_TRUE(write_file_atomically(folder / there / "authority.key", "another"));
  EXPECT_EQ(restore().error().code, Code::kFailed);
  EXPECT_EQ(*read_file(folder / there / "authority.key", 100), "another");
}

TEST_P(BackupTest, WhatIsNotAWholeBackupChangesNothing) {
  make_pool().reset();
  ASSERT_TRUE(back_up());
  const std::string whole = *read_file(file, 1 << 20);
  const auto refused = [&](const std::string& text) {
    EXPECT_TRUE(write_file_atomically(file, text));
    const Status restored = restore();
    EXPECT_FALSE(restored) << text.size();
    return restored ? Code::kFailed : restored.error().code;
  };
  EXPECT_EQ(refused(""), Code::kDataLoss);
  EXPECT_EQ(refused("\n\n"), Code::kDataLoss);
  for (size_t end = whole.find('\n'); end + 1 < whole.size(); end = whole.find('\n', end + 1)) {
    EXPECT_EQ(refused(whole.substr(0, end + 1)), Code::kDataLoss);
    std::string changed = whole;
    changed[end - 3] ^= 1;
    EXPECT_EQ(refused(changed), Code::kDataLoss);
  }
  EXPECT_EQ(refused(whole.substr(0, whole.size() - 5)), Code::kDataLoss);
  ASSERT_TRUE(write_file_atomically(file, whole));
  EXPECT_TRUE(restore()) << "into a database that is as empty as before";
}

TEST_P(BackupTest, SaysWhatIsMissing) {
  std::filesystem::create_directories(folder);
  EXPECT_EQ(back_up().error().code, Code::kNotFound);
  make_pool().reset();
  std::filesystem::remove(folder / here / "authority.key");
  EXPECT_FALSE(back_up());
  EXPECT_FALSE(std::filesystem::exists(file)) << "nor is half of one left behind";
}

}  // namespace
}  // namespace muster::io
