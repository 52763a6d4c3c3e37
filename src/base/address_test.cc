// Addresses as people write them, and as they get them wrong.
#include "base/address.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(Address, IsReadInEachOfItsForms) {
  struct Case {
    const char *text, *host;
    int port;
    const char* shown;
  };
  const Case cases[] = {
      {"there", "there", 0, "there"},
      {"there.example:7", "there.example", 7, "there.example:7"},
      {"my_pool-1", "my_pool-1", 0, "my_pool-1"},
      {"10.0.0.1", "10.0.0.1", 0, "10.0.0.1"},
      {"10.0.0.1:65535", "10.0.0.1", 65535, "10.0.0.1:65535"},
      {"::1", "::1", 0, "[::1]"},
      {"[::1]", "::1", 0, "[::1]"},
      {"[::1]:7", "::1", 7, "[::1]:7"},
      {"fe80::1%eth0", "fe80::1%eth0", 0, "[fe80::1%eth0]"},
      {"[fe80::1%eth0]:7", "fe80::1%eth0", 7, "[fe80::1%eth0]:7"},
      {"::ffff:10.0.0.1", "::ffff:10.0.0.1", 0, "[::ffff:10.0.0.1]"},
  };
  for (const Case& c : cases) {
    const auto address = parse_address(c.text);
    ASSERT_TRUE(address) << c.text << ": " << address.error().message;
    EXPECT_EQ(address->host, c.host) << c.text;
    EXPECT_EQ(address->port, c.port) << c.text;
    EXPECT_EQ(address->text(), c.shown) << c.text;
  }
}

TEST(Address, WhatIsNoneIsNamed) {
  for (const char* text : {"",
                           ":",
                           ":7",
                           "there:",
                           "there:0",
                           "there:65536",
                           "there:http",
                           "there:7x",
                           "there:-7",
                           "http://there",
                           "https://there:7/",
                           "there/path",
                           "grpc://[::1]:7",
                           "a b",
                           "a:b:c",
                           "[::1",
                           "[::1]7",
                           "[::1]:",
                           "[there]:7",
                           "[10.0.0.1]",
                           "::1]",
                           "1:2:3:4:5:6:7:8:9",
                           "fe80::1%",
                           "fe80::1%eth0]",
                           "fe80::1%eth 0",
                           "fe80::1%\x1b[31m",
                           "256.0.0.1",
                           "1.2.3",
                           "10.0.0.1.5",
                           "1234",
                           "-a",
                           ".a",
                           "a..b",
                           "a,b",
                           "a@b",
                           "z\xC3\xBCrich",
                           "a\nb",
                           "*"}) {
    const auto address = parse_address(text);
    ASSERT_FALSE(address) << text;
    EXPECT_EQ(address.error().code, Code::kInvalidArgument) << text;
    EXPECT_TRUE(address.error().message.starts_with("'")) << address.error().message;
  }
  EXPECT_FALSE(parse_address(std::string(256, 'a')));
}

TEST(Address, OnlyThisMachineIsLoopback) {
  for (const char* host :
       {"localhost", "LocalHost", "127.0.0.1", "127.255.0.9", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_TRUE(is_loopback(host)) << host;
  }
  for (const char* host :
       {"127.evil.example", "127.0.0.1.evil.example", "localhost.evil", "0.0.0.0", "::", "10.0.0.1",
        "128.0.0.1", "::2", "::ffff:10.0.0.1", ""}) {
    EXPECT_FALSE(is_loopback(host)) << host;
  }
}

}  // namespace
}  // namespace muster
