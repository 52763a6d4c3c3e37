// One pool, one authority: whatever is lost, none is made anew without a word.
#include "io/database/pool_authority.h"

#include <gtest/gtest.h>

#include "io/database/databases_for_test.h"
#include "io/database/schema.h"

namespace muster::io {
namespace {

constexpr int64_t kNow = 1'800'000'000;
const auto kKey = *identity::PoolKey::parse(std::string(32, 'k'));
const auto kOther = *identity::PoolKey::parse(std::string(32, 'o'));

class PoolAuthorityTest : public DatabaseTest {
 protected:
  void SetUp() override {
    DatabaseTest::SetUp();
    elsewhere = folder / "elsewhere";
    std::filesystem::create_directories(elsewhere);
  }
  [[nodiscard]] std::string certificate(const std::optional<identity::PoolKey>& key,
                                        const Path& where) const {
    const auto authority = open_authority(address(), where, key, kNow);
    return authority ? authority->certificate() : authority.error().message;
  }
  [[nodiscard]] Code refusal(const std::optional<identity::PoolKey>& key, const Path& where) const {
    const auto authority = open_authority(address(), where, key, kNow);
    EXPECT_FALSE(authority);
    return authority ? Code::kFailed : authority.error().code;
  }
  [[nodiscard]] bool has_key_file(const Path& where) const {
    return std::filesystem::exists(where / "authority.key");
  }
  Path elsewhere;
};

INSTANTIATE_TEST_SUITE_P(Both, PoolAuthorityTest, ::testing::Values(Kind::kSqlite, Kind::kPostgres),
                         name_of_kind);

TEST_P(PoolAuthorityTest, UnderAPoolKeyItIsTheSameWhereverAServerStarts) {
  const std::string made = certificate(kKey, folder);
  EXPECT_FALSE(has_key_file(folder));
  EXPECT_EQ(certificate(kKey, elsewhere), made);
  EXPECT_EQ(refusal(kOther, elsewhere), Code::kPermission);
  EXPECT_EQ(refusal({}, elsewhere), Code::kPermission);
  EXPECT_FALSE(has_key_file(elsewhere));
}

TEST_P(PoolAuthorityTest, WithoutOneItIsInTheFolderAndNotMadeAnewInAnother) {
  const std::string made = certificate({}, folder);
  EXPECT_TRUE(has_key_file(folder));
  EXPECT_EQ(certificate({}, folder), made);
  EXPECT_EQ(refusal({}, elsewhere), Code::kDisk);
  EXPECT_EQ(refusal(kKey, elsewhere), Code::kDisk) << "nor with a key that never sealed it";
}

TEST_P(PoolAuthorityTest, APoolThatGetsAKeyTakesItsAuthorityAlong) {
  const std::string made = certificate({}, folder);
  EXPECT_EQ(certificate(kKey, folder), made);
  EXPECT_EQ(certificate(kKey, elsewhere), made);
}

TEST_P(PoolAuthorityTest, AFolderWithHalfOfItIsAnError) {
  ASSERT_NE(certificate({}, folder), "");
  std::filesystem::remove(folder / "authority.key");
  EXPECT_EQ(refusal({}, folder), Code::kDisk);
}

}  // namespace
}  // namespace muster::io
