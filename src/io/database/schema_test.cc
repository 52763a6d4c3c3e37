// The tables are brought up to date once, all or nothing, and never back.
#include "io/database/schema.h"

#include <gtest/gtest.h>

#include <thread>

#include "io/database/databases_for_test.h"
#include "io/database/message_text.h"
#include "wire/pb.h"

namespace muster::io {
namespace {

class SchemaTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    connection = open_connection(address());
  }
  [[nodiscard]] long long number(const std::string& query) const {
    long long number = -1;
    connection->session() << query, soci::into(number);
    return number;
  }
  // As muster left them before schemas had numbers.
  void make_old_tables(const std::string& job_row) const {
    for (const std::string& statement : {
             std::string("CREATE TABLE pool (id INTEGER PRIMARY KEY, epoch BIGINT NOT NULL, "
                         "view_number BIGINT NOT NULL, view TEXT NOT NULL)"),
             std::string("INSERT INTO pool (id, epoch, view_number, view) VALUES (1, 41, 0, '')"),
             std::string("CREATE TABLE job (job TEXT NOT NULL, run BIGINT NOT NULL, epoch BIGINT "
                         "NOT NULL, state BIGINT NOT NULL, row TEXT NOT NULL, "
                         "PRIMARY KEY (job, run))"),
             "INSERT INTO job VALUES ('a', 2, 1, 1, '" + job_row + "')",
         }) {
      connection->session() << statement;
    }
  }
  static std::string job_row() {
    pb::JobRow row;
    row.set_job("a");
    row.set_run(2);
    row.set_state(pb::JOB_STATE_RUNNING);
    row.set_accepted_at_ms(1234);
    return to_text(row);
  }

  std::unique_ptr<Connection> connection;
};

INSTANTIATE_TEST_SUITE_P(Both, SchemaTest, ::testing::Values(Kind::kSqlite, Kind::kPostgres),
                         name_of_kind);

TEST_P(SchemaTest, AnEmptyDatabaseGetsAllTablesAndTheNextTimeNothing) {
  for ([[maybe_unused]] int start : {1, 2}) {
    ASSERT_TRUE(bring_up_to_date(*connection));
    EXPECT_EQ(number("SELECT version FROM schema_version"), kSchema);
    EXPECT_EQ(number("SELECT pool_epoch FROM pool"), 0);
  }
}

TEST_P(SchemaTest, WhatWasThereBeforeIsThereStill) {
  make_old_tables(job_row());
  ASSERT_TRUE(bring_up_to_date(*connection));
  EXPECT_EQ(number("SELECT pool_epoch FROM pool"), 41);
  EXPECT_EQ(number("SELECT accepted_ms FROM jobs WHERE job = 'a' AND run = 2 AND "
                   "state = 'running'"),
            1234);
}

TEST_P(SchemaTest, AMigrationThatFailsHalfWayChangesNothing) {
  make_old_tables("zz");
  const Status failed = bring_up_to_date(*connection);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kDisk);
  EXPECT_NE(failed.error().message.find("could not be brought up to date, and are as they were: "
                                        "a row of table job cannot be read: zz"),
            std::string::npos)
      << failed.error().message;
  EXPECT_EQ(number("SELECT epoch FROM pool"), 41);
  connection->session() << "UPDATE job SET row = '" + job_row() + "'";
  EXPECT_TRUE(bring_up_to_date(*connection)) << "and goes on when that is mended";
}

TEST_P(SchemaTest, ANewerOneIsLeftAlone) {
  ASSERT_TRUE(bring_up_to_date(*connection));
  connection->session() << "UPDATE schema_version SET version = version + 1";
  const Status newer = bring_up_to_date(*connection);
  ASSERT_FALSE(newer);
  EXPECT_EQ(newer.error().code, Code::kUnsupported);
  EXPECT_NE(newer.error().message.find("was written by a newer muster"), std::string::npos);
}

TEST_P(SchemaTest, OfTwoServersOneMigrates) {
  make_old_tables(job_row());
  const auto other = open_connection(address());
  Status of_other;
  std::thread beside([&] { of_other = bring_up_to_date(*other); });
  const Status here = bring_up_to_date(*connection);
  beside.join();
  EXPECT_TRUE(here);
  EXPECT_TRUE(of_other) << of_other.error().message;
  EXPECT_EQ(number("SELECT COUNT(*) FROM jobs"), 1);
}

}  // namespace
}  // namespace muster::io
