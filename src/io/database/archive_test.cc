#include "io/database/archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "io/database/databases_for_test.h"
#include "io/database/rows.h"
#include "io/database/schema.h"

namespace muster::io {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr size_t kAll = 100;

class ArchiveTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    archive_ = std::make_unique<Archive>(address());
  }
  // As a server would have begun it.
  void begin() {
    writer_ = open_connection(address());
    ASSERT_TRUE(bring_up_to_date(*writer_));
  }
  void save(const std::string& job, uint32_t run, pb::JobState state, int64_t accepted_ms,
            const std::string& model = "org/model", int64_t ended_ms = 0) {
    pb::JobRow row;
    row.set_job(job);
    row.set_run(run);
    row.set_state(state);
    row.set_accepted_at_ms(accepted_ms);
    row.set_ended_at_ms(ended_ms);
    row.mutable_model()->set_name(model);
    row.mutable_request()->add_tasks("tinyMMLU");
    write_row(writer_->session(), row);
  }
  static std::vector<std::string> names(const Result<std::vector<pb::JobRow>>& rows) {
    EXPECT_TRUE(rows) << rows.error().message;
    std::vector<std::string> names;
    for (const pb::JobRow& row : rows.value_or(std::vector<pb::JobRow>())) {
      names.push_back(row.job() + "." + std::to_string(row.run()));
    }
    return names;
  }

  std::unique_ptr<Connection> writer_;
  std::unique_ptr<Archive> archive_;
};

TEST_P(ArchiveTest, WaitsForAServerToBegin) {
  EXPECT_EQ(archive_->pool().error().code, Code::kUnavailable);
  writer_ = open_connection(address());
  EXPECT_EQ(archive_->runs({}, {}, kAll).error().code, Code::kUnavailable);
  begin();
  EXPECT_THAT(names(archive_->runs({}, {}, kAll)), IsEmpty());
  EXPECT_EQ(archive_->pool().error().code, Code::kUnavailable);
}

TEST_P(ArchiveTest, DoesNotReadWhatIsNewer) {
  begin();
  run_sql("UPDATE schema_version SET version = version + 1");
  EXPECT_EQ(archive_->runs({}, {}, kAll).error().code, Code::kUnsupported);
}

TEST_P(ArchiveTest, ListsTheLatestFirstAPageAtATime) {
  begin();
  save("aa", 1, pb::JOB_STATE_DONE, 10);
  save("bb", 1, pb::JOB_STATE_DONE, 20);
  save("cc", 1, pb::JOB_STATE_RUNNING, 20);
  save("aa", 2, pb::JOB_STATE_FAILED, 30);
  EXPECT_THAT(names(archive_->runs({}, {}, kAll)), ElementsAre("aa.2", "cc.1", "bb.1", "aa.1"));
  EXPECT_THAT(names(archive_->runs({}, {}, 2)), ElementsAre("aa.2", "cc.1"));
  EXPECT_THAT(names(archive_->runs({}, Archive::Place{20, "cc", 1}, kAll)),
              ElementsAre("bb.1", "aa.1"));
  EXPECT_THAT(names(archive_->runs_of("aa")), ElementsAre("aa.2", "aa.1"));
}

TEST_P(ArchiveTest, FiltersByStateModelTaskAndText) {
  begin();
  save("abcd0123", 1, pb::JOB_STATE_DONE, 1, "EleutherAI/pythia-14m");
  save("abcf0123", 1, pb::JOB_STATE_RUNNING, 2, "org/100%_sure");
  save("0123abcd", 1, pb::JOB_STATE_FAILED, 3, "org/abcd-model");
  const auto find = [&](const Archive::Filter& filter) {
    return names(archive_->runs(filter, {}, kAll));
  };
  EXPECT_THAT(find({.states = {"done", "failed"}}), ElementsAre("0123abcd.1", "abcd0123.1"));
  EXPECT_THAT(find({.model = "org/100%_sure"}), ElementsAre("abcf0123.1"));
  EXPECT_THAT(find({.commit = "0"}), IsEmpty());
  EXPECT_THAT(find({.text = "PYTHIA"}), ElementsAre("abcd0123.1"));
  EXPECT_THAT(find({.text = "abcd"}), ElementsAre("0123abcd.1", "abcd0123.1"));
  EXPECT_THAT(find({.text = "%_"}), ElementsAre("abcf0123.1"));
  EXPECT_THAT(find({.text = "_"}), ElementsAre("abcf0123.1"));
  EXPECT_THAT(find({.text = "'; DROP TABLE jobs; --"}), IsEmpty());
  EXPECT_EQ(find({.task = "tinyMMLU"}).size(), 3);
  EXPECT_THAT(find({.task = "tiny"}), IsEmpty());
}

TEST_P(ArchiveTest, FindsARun) {
  begin();
  save("aa", 1, pb::JOB_STATE_DONE, 10);
  save("aa", 2, pb::JOB_STATE_RUNNING, 20);
  EXPECT_EQ((*archive_->run("aa", 1))->accepted_at_ms(), 10);
  EXPECT_EQ((*archive_->run("aa", {}))->run(), 2);
  EXPECT_FALSE(*archive_->run("aa", 3));
  EXPECT_FALSE(*archive_->run("bb", {}));
}

TEST_P(ArchiveTest, CountsRunsByState) {
  begin();
  save("aa", 1, pb::JOB_STATE_DONE, 10);
  save("aa", 2, pb::JOB_STATE_DONE, 20);
  save("bb", 1, pb::JOB_STATE_RUNNING, 30);
  const auto counted = archive_->count_runs();
  ASSERT_TRUE(counted) << counted.error().message;
  const auto& counts = *counted;
  ASSERT_EQ(counts.size(), 2);
  EXPECT_EQ(counts[0].state, "done");
  EXPECT_EQ(counts[0].runs, 2);
  EXPECT_EQ(counts[1].state, "running");
}

TEST_P(ArchiveTest, TellsWhatIsDoneInOrderOfItsEnd) {
  begin();
  save("aa", 1, pb::JOB_STATE_DONE, 1, "org/model", 30);
  save("bb", 1, pb::JOB_STATE_DONE, 2, "org/model", 20);
  save("cc", 1, pb::JOB_STATE_FAILED, 3, "org/model", 25);
  EXPECT_THAT(names(archive_->done_runs({}, kAll)), ElementsAre("bb.1", "aa.1"));
  EXPECT_THAT(names(archive_->done_runs({20, "bb", 1}, kAll)), ElementsAre("aa.1"));
}

TEST_P(ArchiveTest, TellsReasonsTheLatestFirst) {
  begin();
  for (uint64_t number = 1; number <= 3; ++number) {
    pb::Reason reason;
    reason.set_job("aa");
    reason.set_run(1);
    reason.set_number(number);
    write_row(writer_->session(), reason);
  }
  const auto reasons = *archive_->reasons("aa", 1, 3, kAll);
  ASSERT_EQ(reasons.size(), 2);
  EXPECT_EQ(reasons.front().number(), 2);
}

TEST_P(ArchiveTest, TellsWhatWasAboutAMachine) {
  begin();
  for (const char* job : {"aa", "bb"}) {
    for (uint64_t number = 1; number <= 2; ++number) {
      pb::Reason reason;
      reason.set_job(job);
      reason.set_run(1);
      reason.set_number(number);
      reason.set_machine(number == 1 ? "m" : "n");
      reason.set_at_ms(5);
      write_row(writer_->session(), reason);
    }
  }
  const auto all = *archive_->reasons_about("m", {}, kAll);
  ASSERT_EQ(all.size(), 2);
  EXPECT_EQ(all[0].job(), "bb");
  const auto rest = *archive_->reasons_about("m", Archive::Place{5, "bb", 1}, kAll);
  ASSERT_EQ(rest.size(), 1);
  EXPECT_EQ(rest[0].job(), "aa");
}

TEST_P(ArchiveTest, ARowThatCannotBeReadIsNamed) {
  begin();
  save("aa", 1, pb::JOB_STATE_DONE, 1);
  run_sql("UPDATE jobs SET row = 'zz'");
  const auto failed = archive_->runs({}, {}, kAll);
  EXPECT_EQ(failed.error().code, Code::kDisk);
  EXPECT_THAT(failed.error().message, testing::HasSubstr("table jobs"));
}

TEST_P(ArchiveTest, AsksAgainOnceTheDatabaseIsBack) {
  if (!is_postgres()) GTEST_SKIP() << "a file does not go away";
  begin();
  save("aa", 1, pb::JOB_STATE_DONE, 1);
  EXPECT_THAT(names(archive_->runs({}, {}, kAll)), ElementsAre("aa.1"));
  ASSERT_TRUE(PostgresForTest::get().run("kill"));
  EXPECT_EQ(archive_->runs({}, {}, kAll).error().code, Code::kUnavailable);
  ASSERT_TRUE(PostgresForTest::get().run("start"));
  EXPECT_THAT(names(archive_->runs({}, {}, kAll)), ElementsAre("aa.1"));
}

INSTANTIATE_TEST_SUITE_P(Databases, ArchiveTest, testing::Values(Kind::kSqlite, Kind::kPostgres),
                         name_of_kind);

}  // namespace
}  // namespace muster::io
