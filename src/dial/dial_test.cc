// The way to a server: through proxies of all kinds, and without one.
#include "dial/dial.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dial/dialer.h"
#include "dial/listener_for_test.h"
#include "dial/proxy_answer.h"

namespace muster::dial {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr char kServer[] = "pool.example:30000";
constexpr char kYes[] = "HTTP/1.1 200 OK\r\n\r\n";

Proxy proxy_at(int port, const std::string& credentials = "") {
  return {{"127.0.0.1", port}, credentials, "https_proxy"};
}

class DialTest : public testing::Test {
 protected:
  // What becomes of one CONNECT at a proxy that answers it with these words.
  Error refusal(const std::string& words, const std::string& credentials = "",
                Patience::Clock::duration wait = seconds(60)) {
    Listener listener([&](int socket) {
      heard = Listener::read_to(socket, "\r\n\r\n");
      Listener::say(socket, words);
      if (words.empty()) Listener::read_to(socket, "never");
    });
    const auto socket =
        dial({kServer, proxy_at(listener.port, credentials)}, Patience(wait, given_up));
    if (socket) return {Code::kFailed, "it was let through"};
    EXPECT_THAT(socket.error().message, Not(HasSubstr("secret")));
    return socket.error();
  }

  std::atomic<bool> given_up = false;
  std::string heard;
};

TEST_F(DialTest, AProxyIsAskedForTheServerByName) {
  std::string carried;
  {
    Listener listener([&](int socket) {
      heard = Listener::read_to(socket, "\r\n\r\n");
      Listener::say(socket, kYes);
      carried = Listener::read_to(socket, "!");
    });
    const auto socket =
        dial({kServer, proxy_at(listener.port, "ada:secret")}, Patience(seconds(60), given_up));
    ASSERT_TRUE(socket) << socket.error().message;
    Listener::say(socket->fd, "hello!");
  }
  EXPECT_TRUE(
      heard.starts_with("CONNECT pool.example:30000 HTTP/1.1\r\n"
                        "Host: pool.example:30000\r\n"))
      << heard;
  EXPECT_THAT(heard, HasSubstr("\r\nProxy-Authorization: Basic YWRhOnNlY3JldA==\r\n"));
  EXPECT_EQ(carried, "hello!");
}

TEST_F(DialTest, WithoutAPasswordNoneIsSaid) {
  EXPECT_EQ(refusal(kYes).code, Code::kFailed);
  EXPECT_THAT(heard, Not(HasSubstr("Authorization")));
}

TEST_F(DialTest, AProxyThatWantsToKnowWhoAsks) {
  const std::string basic = "HTTP/1.1 407 x\r\nProxy-Authenticate: Basic realm=\"x\"\r\n\r\n";
  Error error = refusal(basic);
  EXPECT_EQ(error.code, Code::kPermission);
  EXPECT_THAT(error.message,
              HasSubstr("give them as http://USER:PASSWORD@HOST:PORT in https_proxy"));
  error = refusal(basic, "ada:secret");
  EXPECT_EQ(error.code, Code::kPermission);
  EXPECT_THAT(error.message, HasSubstr("refuses the user or the password"));
  error = refusal("HTTP/1.1 407 x\r\nProxy-Authenticate: NTLM\r\n\r\n", "ada:secret");
  EXPECT_EQ(error.code, Code::kPermission);
  EXPECT_THAT(error.message, HasSubstr("muster does not speak"));
}

TEST_F(DialTest, AProxyThatSaysNo) {
  Error error = refusal("HTTP/1.1 403 Forbidden\r\nServer: squid\r\n\r\n<html>");
  EXPECT_EQ(error.code, Code::kPermission);
  EXPECT_THAT(error.message, HasSubstr("pool.example:30000 through (403 'Forbidden')"));
  error = refusal("HTTP/1.1 502 \x1b[2J\r\n\r\n");
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("cannot connect to pool.example:30000 (502 "));
  EXPECT_THAT(error.message, Not(HasSubstr("\x1b")));
}

TEST_F(DialTest, WhatIsNoProxy) {
  for (const std::string& words :
       {std::string("SSH-2.0-OpenSSH_9.2\r\n"),
        "HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x'), kYes + std::string("and more")}) {
    const Error error = refusal(words);
    EXPECT_EQ(error.code, Code::kUnavailable);
    EXPECT_THAT(error.message, HasSubstr("go without by --proxy none"));
    EXPECT_LT(error.message.size(), 300u);
  }
}

TEST_F(DialTest, ASilentProxyIsWaitedForOnlySoLong) {
  const Error error = refusal("", "", milliseconds(50));
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_THAT(error.message, HasSubstr("said nothing in time"));
}

TEST_F(DialTest, WhoGivesUpIsNotKept) {
  given_up = true;
  EXPECT_EQ(refusal("").code, Code::kInterrupted);
}

TEST_F(DialTest, NobodyThere) {
  int port = 0;
  {
    port = Listener([](int) {}).port;
  }
  const std::string address = "127.0.0.1:" + std::to_string(port);
  const auto direct = dial({address, {}}, Patience(seconds(60), given_up));
  EXPECT_EQ(direct.error().code, Code::kUnavailable);
  EXPECT_TRUE(direct.error().message.starts_with("no muster server answers at " + address));
  const auto carried = dial({kServer, proxy_at(port)}, Patience(seconds(60), given_up));
  EXPECT_EQ(carried.error().code, Code::kUnavailable);
  EXPECT_TRUE(carried.error().message.starts_with("the proxy at " + address +
                                                  " (https_proxy) does "
                                                  "not answer (Connection refused)"));
}

TEST_F(DialTest, AProxyThatRefusesIsLeftAloneForAWhile) {
  std::string answer = "HTTP/1.1 403 x\r\n\r\n";
  int asked = 0;
  Listener listener([&](int socket) {
    ++asked;
    Listener::read_to(socket, "\r\n\r\n");
    Listener::say(socket, answer);
  });
  Dialer patient({kServer, proxy_at(listener.port)});
  const Patience patience(seconds(60), given_up);
  EXPECT_EQ(patient.dial(patience).error().code, Code::kPermission);
  answer = kYes;
  EXPECT_EQ(patient.dial(patience).error().message, patient.trouble()->message);
  EXPECT_EQ(asked, 1);

  answer = "HTTP/1.1 403 x\r\n\r\n";
  Dialer hasty({kServer, proxy_at(listener.port)}, seconds(0));
  EXPECT_EQ(hasty.dial(patience).error().code, Code::kPermission);
  answer = kYes;
  EXPECT_TRUE(hasty.dial(patience));
  EXPECT_FALSE(hasty.trouble());
}

}  // namespace
}  // namespace muster::dial
