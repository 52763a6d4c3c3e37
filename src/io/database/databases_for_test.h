#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "io/database/connection.h"

namespace muster::io {

enum class Kind { kSqlite, kPostgres };
inline std::string name_of_kind(const ::testing::TestParamInfo<Kind>& info) {
  return info.param == Kind::kSqlite ? "OnSqlite" : "OnPostgres";
}

// A PostgreSQL of this process, begun when it is first asked for (tests/pool/postgres.sh).
class PostgresForTest {
 public:
  static const PostgresForTest& get() {
    static const PostgresForTest postgres;
    return postgres;
  }
  ~PostgresForTest() { (void)run("stop"); }
  PostgresForTest(const PostgresForTest&) = delete;
  PostgresForTest& operator=(const PostgresForTest&) = delete;

  // Whether it did: start, kill, freeze, thaw.
  [[nodiscard]] bool run(const std::string& action) const {
    const std::string script = std::string(MUSTER_SOURCE_DIR) + "/tests/pool/postgres.sh ";
    return std::system((script + action + " " + folder_).c_str()) == 0;
  }
  [[nodiscard]] DatabaseAddress database(const std::string& name) const {
    return *DatabaseAddress::parse("postgresql://muster@/" + name + "?host=" + folder_);
  }
  // An empty one.
  [[nodiscard]] DatabaseAddress new_database() const {
    const std::string name = "test" + std::to_string(count_++);
    const auto maintenance = Connection::to(database("postgres"));
    EXPECT_TRUE(maintenance->open());
    maintenance->session() << "CREATE DATABASE " + name;
    return database(name);
  }

 private:
  PostgresForTest() : folder_("/tmp/muster-postgres-" + std::to_string(::getpid())) {
    EXPECT_TRUE(run("start"));
  }
  std::string folder_;
  static inline int count_ = 0;
};

// An empty database for each test.
class DatabaseTest : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    folder = Path(::testing::TempDir()) / ("server-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    if (is_postgres()) address_ = PostgresForTest::get().new_database();
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  static std::unique_ptr<Connection> open_connection(const DatabaseAddress& address) {
    auto connection = Connection::to(address);
    const Status opened = connection->open();
    EXPECT_TRUE(opened) << opened.error().message;
    return connection;
  }

  [[nodiscard]] bool is_postgres() const { return GetParam() == Kind::kPostgres; }
  [[nodiscard]] DatabaseAddress address() const {
    return is_postgres() ? address_ : DatabaseAddress::of_file(folder / "server.db");
  }
  // Beside the server.
  void run_sql(const std::string& statement) const {
    open_connection(address())->session() << statement;
  }

  Path folder;

 private:
  DatabaseAddress address_ = DatabaseAddress::of_file("");
};

}  // namespace muster::io
