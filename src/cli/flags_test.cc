// What a flag takes, and how an address is written.
#include <gtest/gtest.h>

#include <cstdlib>

#include "cli/flag_checks.h"
#include "cli/server_address.h"
#include "cli/terminal.h"

namespace muster::cli {
namespace {

TEST(Flags, ANumberIsANumber) {
  auto check = number_between(0.1, 86400);
  for (std::string good : {"0.1", "30", "86400", "1e3"}) EXPECT_EQ(check(good), "") << good;
  for (std::string bad : {"nan", "-nan", "inf", "-1", "0", "1e99", "", "x", "30s", "0x"}) {
    EXPECT_EQ(check(bad), "must be a number, 0.1 to 86400") << bad;
  }
}

TEST(Flags, ALineIsCutBetweenCharacters) {
  EXPECT_EQ(cut_to_columns("Z\u00FCrich", 3), "Z\u00FCr");
  EXPECT_EQ(cut_to_columns("Z\u00FCrich", 6), "Z\u00FCrich");
  EXPECT_EQ(cut_to_columns("\u6771\u4EAC", 3), "\u6771");
  EXPECT_EQ(cut_to_columns("ab", 0), "");
}

TEST(Flags, ALineOfTextIsOneLine) {
  auto check = line_of_text(8);
  for (std::string good : {"", "lab-3", "Zürich", "12345678"}) EXPECT_EQ(check(good), "") << good;
  for (std::string bad : {"a\nb", "\x1b[2J", "a\xFF", "123456789", "\u202Egpj"}) {
    EXPECT_NE(check(bad), "") << bad;
  }
}

TEST(Flags, AProxyIsAUrlOrNone) {
  auto check = proxy_or_none();
  for (std::string good : {"none", "http://there:3128", "http://ada:secret@there:1"}) {
    EXPECT_EQ(check(good), "") << good;
  }
  for (std::string bad : {"", "None", "there", "http://ada:secret@there", "https://there:1"}) {
    EXPECT_EQ(check(bad), "must be http://[USER:PASSWORD@]HOST:PORT or none") << bad;
  }
}

TEST(Flags, AProxyIsForAServerElsewhere) {
  ::setenv("https_proxy", "http://there:1", 1);
  const auto proxy_for = [](const char* ip, const char* flag) {
    const auto access = ServerAddress{.ip = ip, .proxy = flag}.access();
    return access && access->proxy ? access->proxy->shown() : "";
  };
  EXPECT_EQ(proxy_for("pool", ""), "the proxy at there:1 (https_proxy)");
  EXPECT_EQ(proxy_for("pool", "http://x:2"), "the proxy at x:2 (--proxy)");
  EXPECT_EQ(proxy_for("pool", "none"), "");
  EXPECT_EQ(proxy_for("localhost", "http://x:2"), "");
  EXPECT_EQ(proxy_for("", ""), "");
  ::setenv("https_proxy", "socks5://ada:secret@there:1", 1);
  const auto access = ServerAddress{.ip = "pool"}.access();
  EXPECT_EQ(access.error().code, Code::kInvalidArgument);
  EXPECT_EQ(access.error().message.find("secret"), std::string::npos);
  ::unsetenv("https_proxy");
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
      {"[::1]:7", "", 0, "[::1]:7"},    {"there:7", "here:9", 0, "here:9"},
  };
  for (const Address& c : cases) {
    ::setenv("MUSTER_SERVER", c.variable, 1);
    const ServerAddress address{.ip = c.ip, .port = c.port};
    EXPECT_EQ(address.access().value_or(identity::Access{.address = "none"}).address, c.text)
        << c.variable << " " << c.ip;
  }
  ::setenv("MUSTER_SERVER", "http://there", 1);
  EXPECT_TRUE(
      ServerAddress().access().error().message.starts_with("MUSTER_SERVER: 'http://there'"));
  ::unsetenv("MUSTER_SERVER");
}

}  // namespace
}  // namespace muster::cli
