#include "io/database/address.h"

#include <gtest/gtest.h>

namespace muster::io {
namespace {

TEST(DatabaseAddressTest, IsAFileOrAPostgresServer) {
  const auto file = DatabaseAddress::parse("/var/lib/muster/pool.db");
  ASSERT_TRUE(file);
  EXPECT_FALSE(file->is_postgres());
  EXPECT_EQ(file->file(), "/var/lib/muster/pool.db");
  const auto server = DatabaseAddress::parse("postgresql://ada:pass%20word@db.lab:6432/pool");
  ASSERT_TRUE(server);
  EXPECT_TRUE(server->is_postgres());
  EXPECT_NE(server->options().find("password='pass word'"), std::string::npos);
  EXPECT_NE(server->options().find("connect_timeout='3'"), std::string::npos);
}

TEST(DatabaseAddressTest, ShowsNoPassword) {
  for (const auto& [text, shown] : {
           std::pair("postgresql://ada:secret@db.lab:6432/pool",
                     "postgresql://ada@db.lab:6432/pool"),
           std::pair("postgres://ada@/pool?host=/run/pg&password=secret",
                     "postgresql://ada@/pool?host=/run/pg"),
           std::pair("postgresql://[::1]/pool", "postgresql://[::1]/pool"),
           std::pair("postgresql://a:1,b:2/pool", "postgresql:///pool?host=a,b&port=1,2"),
           std::pair("postgresql://a%20b@/c%40d?port=6432", "postgresql://a%20b@/c%40d?port=6432"),
       }) {
    const auto address = DatabaseAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_TRUE(address->text() == shown) << address->text();
  }
}

TEST(DatabaseAddressTest, SaysWhatIsWrongWithoutTheAddress) {
  for (const char* text : {"", "mysql://ada:secret@db/pool", "postgresql://ada:secret%zz@db/pool",
                           "postgresql://ada:secret@[db/pool", "postgresql://db/pool?secret=1",
                           "postgresql://ada:se%00cret@db/pool"}) {
    const auto address = DatabaseAddress::parse(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Code::kInvalidArgument);
    EXPECT_EQ(address.error().message.find("secret"), std::string::npos) << address.error().message;
  }
  EXPECT_FALSE(DatabaseAddress::parse("postgresql://db/" + std::string(5000, 'a')));
}

TEST(DatabaseAddressTest, WhatTheAddressSaysGoesBeforeMustersOwn) {
  const auto address = DatabaseAddress::parse("postgresql://db/pool?connect_timeout=20");
  ASSERT_TRUE(address);
  EXPECT_NE(address->options().find("connect_timeout='20'"), std::string::npos);
}

}  // namespace
}  // namespace muster::io
