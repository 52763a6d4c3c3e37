// Which proxy is meant, and for whom it is.
#include "dial/proxy.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "dial/proxy_rules.h"

namespace muster::dial {
namespace {

struct Written {
  const char *text, *address, *credentials;
};

TEST(Proxies, AreWrittenAsUrlsWithAPort) {
  const Written cases[] = {
      {"http://there:3128", "there:3128", ""},
      {"there:3128", "there:3128", ""},
      {"HTTP://there:3128/", "there:3128", ""},
      {"http://[::1]:8080", "[::1]:8080", ""},
      {"http://ada:secret@10.0.0.1:80", "10.0.0.1:80", "ada:secret"},
      {"ada@there:1", "there:1", "ada:"},
      {"http://a%40b:p%3Aq%2f@there:1", "there:1", "a@b:p:q/"},
      {"http://ada:p@ss@there:1", "there:1", "ada:p@ss"},
      {"http://ada:p://w@there:1", "there:1", "ada:p://w"},
      {"http://ada:50%@there:1", "there:1", "ada:50%"},
      {"http://ada:%zz%4@there:1", "there:1", "ada:%zz%4"},
  };
  for (const Written& c : cases) {
    const auto proxy = parse_proxy(c.text, "here");
    ASSERT_TRUE(proxy) << c.text;
    EXPECT_EQ(proxy->address.text(), c.address) << c.text;
    EXPECT_EQ(proxy->credentials, c.credentials) << c.text;
  }
}

TEST(Proxies, ThatAreNoneAreRefusedWithoutAWordOfThem) {
  for (std::string text :
       {"http://there", "there", "https://there:1", "socks5://there:1", "http://there:1/path",
        "https://ada:secret@there:1", "socks5://ada:secret@there:1", "http://ada:secret",
        "http://ada:secret@", "http://ada:secret@there", "http://:1",
        "http://ada:secret%0d%0a@there:1", "http://ada:secret%00@there:1", "http://there:0",
        "http://there:99999"}) {
    const auto proxy = parse_proxy(text, "https_proxy");
    ASSERT_FALSE(proxy) << text;
    EXPECT_EQ(proxy.error().code, Code::kInvalidArgument);
    EXPECT_TRUE(proxy.error().message.starts_with("https_proxy names no proxy"));
    EXPECT_EQ(proxy.error().message.find("secret"), std::string::npos);
  }
  EXPECT_FALSE(parse_proxy(std::string(1001, 'a') + ":1", "--proxy"));
}

TEST(Proxies, AreNamedWithoutTheirPasswords) {
  EXPECT_EQ(parse_proxy("http://ada:secret@there:1", "--proxy")->shown(),
            "the proxy at there:1 (--proxy)");
}

// Sets the four variables, which are empty behind it.
class Environment {
 public:
  Environment(const char* https, const char* HTTPS, const char* no, const char* NO) {
    const char* values[] = {https, HTTPS, no, NO};
    for (size_t i = 0; i < std::size(kNames); ++i) ::setenv(kNames[i], values[i], 1);
  }
  ~Environment() {
    for (const char* name : kNames) ::unsetenv(name);
  }
  // The address of the proxy for a host, and who named it; "" for none.
  static std::string chosen(const std::string& flag, const std::string& host) {
    const auto proxy = ProxyRules::from_environment(flag).for_host(host);
    if (!proxy) return "error";
    return *proxy ? (*proxy)->address.host + " " + (*proxy)->origin : "";
  }

 private:
  static constexpr const char* kNames[] = {"https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY"};
};

struct Choice {
  const char *flag, *https, *HTTPS, *no, *NO, *host, *chosen;
};

TEST(ProxyRules, TheFlagCountsBeforeTheVariablesAndSmallLettersBeforeLarge) {
  const Choice cases[] = {
      {"", "", "", "", "", "pool", ""},
      {"", "one:1", "", "", "", "pool", "one https_proxy"},
      {"", "", "two:1", "", "", "pool", "two HTTPS_PROXY"},
      {"", "one:1", "two:1", "", "", "pool", "one https_proxy"},
      {"flag:1", "one:1", "two:1", "", "", "pool", "flag --proxy"},
      {"none", "one:1", "two:1", "", "", "pool", ""},
      {"flag:1", "", "", "pool", "", "pool", ""},
      {"", "one:1", "", "", "pool", "pool", ""},
      {"", "one:1", "", "other", "pool", "pool", "one https_proxy"},
      {"", "socks5://one:1", "", "", "", "pool", "error"},
      {"", "socks5://one:1", "", "pool", "", "pool", ""},
      {"none", "socks5://one:1", "", "", "", "pool", ""},
  };
  for (const Choice& c : cases) {
    const Environment environment(c.https, c.HTTPS, c.no, c.NO);
    EXPECT_EQ(Environment::chosen(c.flag, c.host), c.chosen)
        << c.flag << " " << c.https << " " << c.HTTPS << " " << c.no << " " << c.NO;
  }
}

TEST(ProxyRules, NoneIsForLoopback) {
  const Environment environment("one:1", "", "", "");
  for (const char* host : {"127.0.0.1", "127.8.0.1", "::1", "localhost", "LocalHost", "localhost.",
                           "::ffff:127.0.0.1"}) {
    EXPECT_EQ(Environment::chosen("flag:1", host), "") << host;
    EXPECT_EQ(Environment::chosen("", host), "") << host;
  }
  EXPECT_EQ(Environment::chosen("", "localhost.example.org"), "one https_proxy");
  EXPECT_EQ(Environment::chosen("", "128.0.0.1"), "one https_proxy");
}

struct Exemption {
  const char *list, *host;
  bool is_exempt;
};

TEST(ProxyRules, WhatIsExempt) {
  const Exemption cases[] = {
      {"", "pool", false},
      {" , ", "pool", false},
      {"*", "pool", true},
      {"a, *", "10.0.0.1", true},
      // Names.
      {"example.org", "example.org", true},
      {"example.org", "pool.example.org", true},
      {".example.org", "pool.example.org", true},
      {".example.org", "example.org", true},
      {"*.example.org", "pool.example.org", true},
      {"Example.ORG", "POOL.example.org.", true},
      {"example.org.", "pool.example.org", true},
      {"example.org", "notexample.org", false},
      {"ool.example.org", "pool.example.org", false},
      {"pool.example.org", "example.org", false},
      {"a,b\tc example.org", "example.org", true},
      {".", "pool", false},
      {"*.", "pool.", false},
      {"*x", "pool.x", false},
      // Addresses, and blocks of them.
      {"10.0.0.1", "10.0.0.1", true},
      {"0.0.1", "10.0.0.1", false},
      {".0.0.1", "10.0.0.1", false},
      {"10.0.0.0/8", "10.200.3.4", true},
      {"10.0.0.0/8", "11.0.0.1", false},
      {"192.168.4.0/22", "192.168.7.255", true},
      {"192.168.4.0/22", "192.168.8.0", false},
      {"10.0.0.1/32", "10.0.0.1", true},
      {"10.0.0.1/32", "10.0.0.0", false},
      {"0.0.0.0/0", "10.0.0.1", true},
      {"0.0.0.0/0", "::2", false},
      {"10.0.0.0/33", "10.0.0.0", false},
      {"10.0.0.0/", "10.0.0.0", false},
      {"10.0.0.0/8x", "10.0.0.0", false},
      {"10.0.0.0/-1", "10.0.0.0", false},
      {"10.0.0.0/8", "ten.example.org", false},
      {"2001:db8::/32", "2001:db8:1::2", true},
      {"2001:db8::/33", "2001:db8:8000::", false},
      {"[2001:db8::1]", "2001:db8:0::1", true},
      {"fe80::1", "fe80::1%eth0", true},
  };
  for (const Exemption& c : cases) {
    EXPECT_EQ(is_exempt(c.host, c.list), c.is_exempt) << c.list << " " << c.host;
  }
}

}  // namespace
}  // namespace muster::dial
