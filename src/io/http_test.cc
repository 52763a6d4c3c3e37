// Through which proxy a file comes.
#include "io/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "dial/listener_for_test.h"

namespace muster::io {
namespace {

using dial::Listener;
using testing::HasSubstr;
using testing::StartsWith;

// Somebody at a port who answers every request alike: the host itself, or a proxy.
class HttpTest : public testing::Test {
 protected:
  // What http_get() says of the URL, by --proxy or by the variables.
  Result<int> get(const std::string& url, const std::string& proxy,
                  const std::string& variable = "", const std::string& exempt = "") {
    for (const char* name : {"http_proxy", "https_proxy"}) ::setenv(name, variable.c_str(), 1);
    ::setenv("no_proxy", exempt.c_str(), 1);
    heard.clear();
    auto got = http_get(
        {url, {}, [](std::string_view) { return true; }, {}, proxy, std::chrono::seconds(60)});
    for (const char* name : {"http_proxy", "https_proxy", "no_proxy"}) ::unsetenv(name);
    return got;
  }
  std::string heard, answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  Listener listener{[this](int socket) {
    heard = Listener::read_to(socket, "\r\n\r\n");
    Listener::say(socket, answer);
  }};
  const std::string here = "127.0.0.1:" + std::to_string(listener.port);
};

TEST_F(HttpTest, AProxyThatIsNamedCountsBeforeTheVariables) {
  EXPECT_EQ(get("http://hub.invalid/x", "http://ada:secret@" + here, "http://127.0.0.1:1"), 200);
  EXPECT_THAT(heard, StartsWith("GET http://hub.invalid/x HTTP/1.1"));
  EXPECT_THAT(heard, HasSubstr("Proxy-Authorization: Basic YWRhOnNlY3JldA=="));
}

TEST_F(HttpTest, TheVariablesCountWhereNoneIsNamed) {
  // This machine, under an address that is not loopback's.
  const std::string url = "http://0.0.0.0:" + std::to_string(listener.port) + "/x";
  EXPECT_EQ(get(url, "", "http://" + here), 200);
  EXPECT_THAT(heard, StartsWith("GET " + url + " "));
  EXPECT_EQ(get(url, "none", "http://" + here), 200);
  EXPECT_THAT(heard, StartsWith("GET /x "));
  EXPECT_EQ(get(url, "", "http://" + here, "0.0.0.0"), 200);
  EXPECT_THAT(heard, StartsWith("GET /x "));
  EXPECT_EQ(get(url, "http://" + here, "", "*"), 200);
  EXPECT_THAT(heard, StartsWith("GET /x "));
}

TEST_F(HttpTest, NoneIsForLoopback) {
  for (const char* host : {"127.0.0.1", "localhost"}) {
    const std::string url =
        "http://" + std::string(host) + ":" + std::to_string(listener.port) + "/x";
    EXPECT_EQ(get(url, "http://127.0.0.1:1"), 200) << host;
    EXPECT_EQ(get(url, "", "http://127.0.0.1:1"), 200) << host;
    EXPECT_EQ(get(url, "", "http://127.0.0.1:1", "example.org"), 200) << host;
    EXPECT_THAT(heard, StartsWith("GET /x "));
  }
}

TEST_F(HttpTest, AProxyThatRefusesIsNamed) {
  answer = "HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n";
  const auto got = get("https://hub.invalid/x", "http://ada:secret@" + here);
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code, Code::kTryLater);
  EXPECT_EQ(got.error().message,
            "https://hub.invalid/x: the proxy refuses it (407); check --proxy, or https_proxy");
}

}  // namespace
}  // namespace muster::io
