#include "dial/proxy_answer.h"

#include <gtest/gtest.h>

namespace muster::dial {
namespace {

TEST(ProxyAnswers, AreReadToTheEmptyLine) {
  const std::string head = "HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\n";
  const auto answer = read_proxy_answer(head + "\x16\x03");
  ASSERT_TRUE(answer && *answer);
  EXPECT_TRUE((*answer)->is_yes());
  EXPECT_EQ((*answer)->reason, "Connection established");
  EXPECT_EQ((*answer)->bytes, head.size());
}

TEST(ProxyAnswers, ComeInPieces) {
  const std::string head = "HTTP/1.0 407\nProxy-Authenticate: NTLM\nPROXY-authenticate:Basic x\n\n";
  for (size_t size = 0; size < head.size(); ++size) {
    const auto answer = read_proxy_answer(head.substr(0, size));
    ASSERT_TRUE(answer) << size;
    EXPECT_FALSE(*answer) << size;
  }
  const auto answer = read_proxy_answer(head);
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->status, 407);
  EXPECT_EQ((*answer)->reason, "");
  EXPECT_TRUE((*answer)->takes_basic);
  EXPECT_FALSE((*answer)->is_yes());
}

TEST(ProxyAnswers, ThatAreNoHttpAreKnownAtOnce) {
  for (std::string bytes :
       {"S", "SSH-2.0-OpenSSH\r\n", "HTTP/2 200\r\n\r\n", "\x15\x03\x01", "http/1.1 200",
        "HTTP/1.1 20\r\n\r\n", "HTTP/1.1 2000\r\n\r\n", "HTTP/1.1 000 x\r\n\r\n",
        "HTTP/1.x 200 x\r\n\r\n", "HTTP/1.1  200\r\n\r\n", "HTTP/1.\n\n"}) {
    EXPECT_FALSE(read_proxy_answer(bytes)) << bytes;
  }
}

TEST(ProxyAnswers, HaveAnEnd) {
  const std::string begin = "HTTP/1.1 200 OK\r\nX: ";
  const auto padded = [&](size_t size) {
    return begin + std::string(size - begin.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_TRUE(read_proxy_answer(padded(kMostAnswerBytes)));
  EXPECT_FALSE(read_proxy_answer(padded(kMostAnswerBytes + 1)));
  EXPECT_FALSE(read_proxy_answer(begin + std::string(1u << 20, 'x')));
}

TEST(ProxyAnswers, SayNothingToATerminal) {
  const auto answer =
      read_proxy_answer("HTTP/1.1 502 \x1b[2J\xff" + std::string(500, 'x') + "\r\n\r\n");
  ASSERT_TRUE(answer && *answer);
  EXPECT_EQ((*answer)->reason.find('\x1b'), std::string::npos);
  EXPECT_LT((*answer)->reason.size(), 110u);
}

}  // namespace
}  // namespace muster::dial
