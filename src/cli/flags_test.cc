// What a flag takes, and how an address is written.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/flag_checks.h"
#include "cli/server_address.h"

namespace muster::cli {
namespace {

TEST(Flags, ANumberIsANumber) {
  auto check = number_between(0.1, 86400);
  for (std::string good : {"0.1", "30", "86400", "1e3"}) EXPECT_EQ(check(good), "") << good;
  for (std::string bad : {"nan", "-nan", "inf", "-1", "0", "1e99", "", "x", "30s", "0x"}) {
    EXPECT_EQ(check(bad), "must be a number, 0.1 to 86400") << bad;
  }
}

TEST(Flags, ALineOfTextIsOneLine) {
  auto check = line_of_text(8);
  for (std::string good : {"", "lab-3", "Zürich", "12345678"}) EXPECT_EQ(check(good), "") << good;
  for (std::string bad : {"a\nb", "\x1b[2J", "a\xFF", "123456789", "\u202Egpj"}) {
    EXPECT_NE(check(bad), "") << bad;
  }
}

struct Address {
  const char *variable, *ip;
  int port;
  const char* text;
};

TEST(Flags, AnAddressOfSixthVersionStandsInBrackets) {
  const Address cases[] = {
      {"", "", 0, "127.0.0.1:30000"},   {"", "::1", 0, "[::1]:30000"},
      {"", "[::1]", 7, "[::1]:7"},      {"", "fe80::1%eth0", 7, "[fe80::1%eth0]:7"},
      {"there", "", 0, "there:30000"},  {"there:7", "", 0, "there:7"},
      {"there:7", "here", 0, "here:7"}, {"there:7", "", 8, "there:8"},
      {"::1", "", 0, "[::1]:30000"},    {"[::1]", "", 0, "[::1]:30000"},
      {"[::1]:7", "", 0, "[::1]:7"},
  };
  for (const Address& c : cases) {
    ::setenv("MUSTER_SERVER", c.variable, 1);
    const ServerAddress address{c.ip, c.port};
    EXPECT_EQ(address.text(), c.text) << c.variable << " " << c.ip;
  }
  ::unsetenv("MUSTER_SERVER");
}

}  // namespace
}  // namespace muster::cli
