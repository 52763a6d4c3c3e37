// What is asked of a status port, by machines that check on daemons and by whoever else comes by.
#include "base/http_request.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

TEST(HttpRequest, IsWholeWithItsEmptyLine) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  for (size_t bytes = 0; bytes < head.size(); ++bytes) {
    EXPECT_FALSE(has_http_head(head.substr(0, bytes))) << bytes;
  }
  EXPECT_TRUE(has_http_head(head));
  EXPECT_TRUE(has_http_head(head + "more"));
  EXPECT_TRUE(has_http_head("GET / HTTP/1.0\n\n"));
}

struct Case {
  const char *head, *path;  // Null: nothing.
};

TEST(HttpRequest, AsksForAPath) {
  const Case cases[] = {
      {"GET /livez HTTP/1.1\r\nHost: 10.0.0.7:8787\r\n\r\n", "/livez"},
      {"GET /metrics?verbose=1 HTTP/1.0\r\n\r\n", "/metrics"},
      {"GET /livez HTTP/1.1\n\n", "/livez"},
      {"GET /%6civez HTTP/1.1\r\n\r\n", "/%6civez"},
      {"GET / HTTP/1.1\r\n\r\n", "/"},
      {"POST /livez HTTP/1.1\r\n\r\n", nullptr},
      {"HEAD /livez HTTP/1.1\r\n\r\n", nullptr},
      {"get /livez HTTP/1.1\r\n\r\n", nullptr},
      {"GET livez HTTP/1.1\r\n\r\n", nullptr},
      {"GET http://10.0.0.7/livez HTTP/1.1\r\n\r\n", nullptr},
      {"GET /livez\r\n\r\n", nullptr},
      {"GET  /livez HTTP/1.1\r\n\r\n", nullptr},
      {"GET /livez HTTP/2.0\r\n\r\n", nullptr},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", nullptr},
      {"\x16\x03\x01\n\n", nullptr},
      {"\n\n", nullptr},
      {"", nullptr},
  };
  for (const Case& one : cases) {
    const auto wanted = one.path == nullptr ? std::nullopt : std::optional<std::string>(one.path);
    EXPECT_EQ(http_path(one.head), wanted) << one.head;
  }
}

}  // namespace
}  // namespace muster
