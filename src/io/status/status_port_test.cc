// Whoever watches over a daemon is answered, whatever others do to the port.
#include "io/status/status_port.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/http_request.h"
#include "io/status/health_pages.h"

namespace muster::io {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A connection to a port of this machine.
class Caller {
 public:
  explicit Caller(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(static_cast<uint16_t>(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Caller() { close(fd_); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  void say(const std::string& text) const { send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Until the other end closes.
  [[nodiscard]] std::string hear() const {
    std::string heard;
    char bytes[4096];
    for (ssize_t count = 0; (count = recv(fd_, bytes, sizeof bytes, 0)) > 0;) {
      heard.append(bytes, static_cast<size_t>(count));
    }
    return heard;
  }

 private:
  int fd_;
};

class StatusPortTest : public testing::Test {
 protected:
  std::string large = std::string(4 << 20, 'x');
  std::string line;  // Why there is none.
  Health health{[] { return Duration::zero(); }};
  std::unique_ptr<StatusPort> port = open();

  std::unique_ptr<StatusPort> open() {
    StatusPort::Pages pages = health_pages(health);
    pages["/large"] = [this] { return StatusPort::Reply{200, "text/plain", large}; };
    pages["/broken"] = []() -> StatusPort::Reply { throw std::runtime_error("no page"); };
    auto opened = StatusPort::open({"127.0.0.1", 0}, std::move(pages));
    EXPECT_TRUE(opened) << opened.error().message;
    return *std::move(opened);
  }
  [[nodiscard]] std::string ask(const std::string& head) const {
    const Caller caller(port->port());
    caller.say(head + "\r\n\r\n");
    return caller.hear();
  }
  [[nodiscard]] std::string get(const std::string& path) const {
    return ask("GET " + path + " HTTP/1.1\r\nHost: a");
  }
};

TEST_F(StatusPortTest, SaysWhetherTheDaemonLivesAndIsReady) {
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"));
  EXPECT_THAT(get("/livez"), EndsWith("\r\n\r\n{\"live\":true}\n"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_THAT(get("/readyz"), EndsWith("{\"ready\":false,\"why\":[\"it is starting\"]}\n"));
  health.begin({[this] { return line; }});
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/healthz"),
              EndsWith("{\"live\":true,\"ready\":true,\"version\":\"" MUSTER_VERSION "\"}\n"));
  line = "no \"line\"\n\xff";
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/healthz"), EndsWith(",\"why\":[\"no \\\"line\\\"\\n\xef\xbf\xbd\"]}\n"));
}

TEST_F(StatusPortTest, KnowsNothingElse) {
  for (const char* head : {"GET / HTTP/1.1", "GET /livez/ HTTP/1.1", "POST /livez HTTP/1.1",
                           "GET /../livez HTTP/1.1", "nonsense", ""}) {
    EXPECT_THAT(ask(head), StartsWith("HTTP/1.1 404 Not Found\r\n")) << head;
  }
  EXPECT_THAT(get("/broken"), StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(StatusPortTest, ReadsSoMuchAndNoMore) {
  const std::string line = "GET /livez HTTP/1.1\r\nCookie: ";
  const Caller caller(port->port());
  caller.say(line + std::string(kMostHttpHead - line.size(), 'x'));
  EXPECT_THAT(caller.hear(), StartsWith("HTTP/1.1 431 "));
}

TEST_F(StatusPortTest, SendsAsMuchAsThereIs) {
  EXPECT_THAT(get("/large"), HasSubstr("\r\n\r\n" + large));
}

TEST_F(StatusPortTest, AnswersBesideThoseWhoAreSilent) {
  std::list<Caller> silent;
  for (size_t count = 0; count < 4 * StatusPort::kMostConnections; ++count) {
    silent.emplace_back(port->port()).say("GET /livez HT");
  }
  EXPECT_THAT(get("/livez"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(silent.front().hear(), "") << "the oldest made room";
  EXPECT_EQ(silent.back().hear(), "") << "nobody is waited for for long";
}

TEST_F(StatusPortTest, APortIsOneDaemons) {
  const auto second = StatusPort::open({"127.0.0.1", port->port()}, {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("--status_port"));
}

}  // namespace
}  // namespace muster::io
