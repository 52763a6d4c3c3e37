#include "identity/login.h"

#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "identity/authority.h"

namespace muster::identity {
namespace {

constexpr int64_t kNow = 1'800'000'000;

class LoginTest : public testing::Test {
 protected:
  LoginTest() {
    std::string folder = testing::TempDir() + "login-XXXXXX";
    folder_ = mkdtemp(folder.data());
    std::string public_key(32, '\0');
    login_.server = "pool.example.org:30000";
    login_.secret_key.assign(64, '\0');
    crypto_sign_keypair(reinterpret_cast<unsigned char*>(public_key.data()),
                        reinterpret_cast<unsigned char*>(login_.secret_key.data()));
    login_.certificate = *authority_.issue(
        public_key, wire::make_holder(pb::POOL_ROLE_RESEARCHER, "alice"), kNow, 3600);
    login_.authority = authority_.certificate();
  }
  ~LoginTest() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] Path file() const { return folder_ / "below" / "login.json"; }
  [[nodiscard]] Code code_after(const Login& login) const {
    EXPECT_TRUE(write_login(file(), login));
    return read_login(file()).error().code;
  }

  Path folder_;
  Authority authority_ = *Authority::make(kNow);
  Login login_;
};

TEST_F(LoginTest, IsReadAsItWasWrittenAndIsItsUsersAlone) {
  ASSERT_TRUE(read_login(file()));
  EXPECT_FALSE(read_login(file())->has_value()) << "nobody has logged in";
  ASSERT_TRUE(write_login(file(), login_));
  const auto read = read_login(file());
  ASSERT_TRUE(read && *read);
  EXPECT_EQ((*read)->server, login_.server);
  EXPECT_EQ((*read)->secret_key, login_.secret_key);
  EXPECT_EQ((*read)->certificate, login_.certificate);
  EXPECT_EQ((*read)->authority, login_.authority);
  struct stat status {};
  ASSERT_EQ(stat(file().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(LoginTest, ThatIsNoneIsAnErrorThatNamesTheFile) {
  for (const char* text : {"", "{}", "no JSON", "{\"server\": 7}"}) {
    std::filesystem::create_directories(file().parent_path());
    ASSERT_TRUE(write_file_atomically(file(), text));
    const auto read = read_login(file());
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, Code::kDataLoss);
    EXPECT_TRUE(read.error().message.starts_with(file().string())) << read.error().message;
  }
}

TEST_F(LoginTest, WhosePartsDoNotBelongTogetherIsNone) {
  const Authority other = *Authority::make(kNow);
  Login login = login_;
  login.authority = other.certificate();
  EXPECT_EQ(code_after(login), Code::kDataLoss);
  login = login_;
  login.secret_key.back() = static_cast<char>(login.secret_key.back() ^ 1);
  EXPECT_EQ(code_after(login), Code::kDataLoss);
  login = login_;
  login.secret_key.pop_back();
  EXPECT_EQ(code_after(login), Code::kDataLoss);
  login = login_;
  login.server = "http://pool";
  EXPECT_EQ(code_after(login), Code::kDataLoss);
}

}  // namespace
}  // namespace muster::identity
