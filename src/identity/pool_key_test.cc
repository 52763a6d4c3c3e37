#include "identity/pool_key.h"

#include <gtest/gtest.h>

namespace muster::identity {
namespace {

const std::string kWord = "0123456789abcdef0123456789abcdef";

TEST(PoolKeyTest, WhatItSealsItOpensAndNobodyElse) {
  const auto key = PoolKey::parse(kWord), same = PoolKey::parse("  " + kWord + "\r\n");
  const auto other = PoolKey::parse(kWord + "x");
  ASSERT_TRUE(key && same && other);
  const std::string secret("a\0secret", 8);
  const std::string sealed = key->seal(secret);
  EXPECT_EQ(sealed.find("secret"), std::string::npos);
  EXPECT_NE(sealed, key->seal(secret)) << "another one each time";
  const auto opened = same->open(sealed);
  ASSERT_TRUE(opened);
  EXPECT_EQ(*opened, secret);
  ASSERT_FALSE(other->open(sealed));
  EXPECT_EQ(other->open(sealed).error().code, Code::kPermission);
}

TEST(PoolKeyTest, WhatWasChangedIsNotOpened) {
  const auto key = PoolKey::parse(kWord);
  ASSERT_TRUE(key);
  const std::string sealed = key->seal("secret");
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_FALSE(key->open(changed)) << i;
  }
  for (const std::string& no : {std::string(), std::string("zz"), sealed.substr(2), sealed + "0"}) {
    EXPECT_FALSE(key->open(no)) << no;
  }
}

TEST(PoolKeyTest, AWordThatCanBeGuessedIsNone) {
  for (const std::string& no : {std::string(), std::string("   \n"), kWord.substr(1),
                                "  " + kWord.substr(1) + "  ", std::string(5000, 'x')}) {
    const auto key = PoolKey::parse(no);
    ASSERT_FALSE(key) << no;
    EXPECT_EQ(key.error().code, Code::kInvalidArgument);
  }
}

}  // namespace
}  // namespace muster::identity
