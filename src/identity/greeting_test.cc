#include "identity/greeting.h"

#include <gtest/gtest.h>

#include "identity/greeting_for_test.h"

namespace muster::identity {
namespace {

TEST(Greeting, SaysWhichServerItIsFor) {
  EXPECT_EQ(read_server_name(greeting_for_test("join.muster")), "join.muster");
  EXPECT_EQ(read_server_name(greeting_for_test("server.muster")), "server.muster");
  EXPECT_EQ(read_server_name(greeting_for_test(nullptr)), "");
}

TEST(Greeting, IsWaitedForUntilItIsWhole) {
  const std::string whole = greeting_for_test("join.muster");
  for (size_t count = 0; count < whole.size(); ++count) {
    EXPECT_EQ(read_server_name(whole.substr(0, count)), std::nullopt) << count;
  }
  EXPECT_EQ(read_server_name(whole + "and more"), "join.muster");
}

TEST(Greeting, OfSomethingElseIsNobodys) {
  EXPECT_EQ(read_server_name("PRI * HTTP/2.0"), "");
  EXPECT_EQ(read_server_name("GET / HTTP/1.1"), "");
  EXPECT_EQ(read_server_name(std::string("\x16\x03\x01\xff\xff", 5)), "") << "too long";
  EXPECT_EQ(read_server_name(std::string("\x16\x03\x01\x00\x00", 5)), "") << "empty";
}

// Whatever length is changed, what is read lies within the bytes (the sanitizers look).
TEST(Greeting, ThatWasTamperedWithIsReadWithinItsBounds) {
  const std::string whole = greeting_for_test("join.muster");
  for (size_t at = 5; at < whole.size(); ++at) {
    for (const int value : {0, 1, 127, 255}) {
      std::string changed = whole;
      changed[at] = static_cast<char>(value);
      const auto name = read_server_name(changed);
      EXPECT_TRUE(!name || name->size() < whole.size());
    }
  }
}

}  // namespace
}  // namespace muster::identity
