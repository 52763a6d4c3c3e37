// What the two kinds of connection do differently, and what is asked of both.
#include "io/database/connection.h"

#include <gtest/gtest.h>

#include "io/database/databases_for_test.h"
#include "io/database/schema.h"

namespace muster::io {
namespace {

class ConnectionTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    connection = open_connection(address());
    ASSERT_TRUE(bring_up_to_date(*connection));
  }
  [[nodiscard]] long long epoch() const {
    long long epoch = -1;
    connection->session() << "SELECT pool_epoch FROM pool", soci::into(epoch);
    return epoch;
  }
  std::unique_ptr<Connection> connection;
};

INSTANTIATE_TEST_SUITE_P(Both, ConnectionTest, ::testing::Values(Kind::kSqlite, Kind::kPostgres),
                         name_of_kind);

class PostgresConnectionTest : public ConnectionTest {};
INSTANTIATE_TEST_SUITE_P(One, PostgresConnectionTest, ::testing::Values(Kind::kPostgres),
                         name_of_kind);

TEST_P(ConnectionTest, ATransactionIsRolledBackUnlessItIsCommitted) {
  for (const bool commits : {false, true}) {
    {
      Transaction transaction(*connection);
      connection->session() << "UPDATE pool SET pool_epoch = 7";
      if (commits) transaction.commit();
    }
    EXPECT_EQ(epoch(), commits ? 7 : 0);
  }
}

// At READ COMMITTED a plain SELECT would let the twin pass, and the old server's row behind it.
TEST_P(ConnectionTest, NobodyTakesOverWhatATransactionHasFenced) {
  const auto twin = open_connection(address());
  if (is_postgres()) {
    twin->session() << "SET lock_timeout = 50";
  } else {
    twin->session() << "PRAGMA busy_timeout = 50";
  }
  Transaction transaction(*connection);
  EXPECT_EQ(connection->fence().epoch, 0);
  EXPECT_THROW(twin->session() << "UPDATE pool SET pool_epoch = pool_epoch + 1", soci::soci_error);
  connection->session() << "UPDATE pool SET view_number = 3";
  transaction.commit();
  twin->session() << "UPDATE pool SET pool_epoch = pool_epoch + 1";
  EXPECT_EQ(epoch(), 1);
}

TEST_P(PostgresConnectionTest, ATransactionIsAskedAfterByItsName) {
  const auto later = open_connection(address());
  for (const bool commits : {false, true}) {
    std::string name;
    {
      Transaction transaction(*connection);
      name = connection->fence().transaction;
      EXPECT_EQ(later->outcome(name), roles::Outcome::kUnknown) << "it goes on";
      if (commits) transaction.commit();
    }
    EXPECT_EQ(later->outcome(name), commits ? roles::Outcome::kDone : roles::Outcome::kFailed);
  }
}

TEST_P(PostgresConnectionTest, TellsALostSessionFromAStatementThatFailed) {
  try {
    connection->session() << "SELECT 1 / 0";
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_FALSE(connection->is_lost(error)) << reason_of(error);
    EXPECT_FALSE(connection->may_be_done(error));
  }
  long long session = 0;
  connection->session() << "SELECT pg_backend_pid()", soci::into(session);
  open_connection(address())->session() << "SELECT pg_terminate_backend(:session)",
      soci::use(session);
  try {
    connection->session() << "SELECT 1";
    FAIL();
  } catch (const std::exception& error) {
    EXPECT_TRUE(connection->is_lost(error)) << reason_of(error);
    EXPECT_TRUE(connection->may_be_done(error));
  }
  ASSERT_TRUE(connection->open());
  EXPECT_EQ(epoch(), 0);
}

TEST_P(PostgresConnectionTest, IsNotFrozenByADatabaseThatIs) {
  EXPECT_THROW(connection->within(std::chrono::milliseconds(50),
                                  [&] { connection->session() << "SELECT pg_sleep(3600)"; }),
               soci::soci_error);
  ASSERT_TRUE(connection->open());
  EXPECT_EQ(epoch(), 0);
}

TEST_P(PostgresConnectionTest, WhatIsCommittedIsOnTheDiskWhateverTheDefault) {
  std::string database;
  connection->session() << "SELECT current_database()", soci::into(database);
  connection->session() << "ALTER DATABASE " + database + " SET synchronous_commit = off";
  const auto next = open_connection(address());
  std::string setting;
  next->session() << "SELECT current_setting('synchronous_commit')", soci::into(setting);
  EXPECT_EQ(setting, "on");
}

}  // namespace
}  // namespace muster::io
