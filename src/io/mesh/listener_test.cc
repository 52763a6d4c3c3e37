// Accepting goes on after a shortage of descriptors, and nobody takes all of them.
#include "io/mesh/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>

namespace muster::io {
namespace {

sockaddr_in address_of(const std::string& host, int port) {
  sockaddr_in address{.sin_family = AF_INET, .sin_port = htons(port)};
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

// A socket of this process, which can connect without another descriptor.
class Caller {
 public:
  explicit Caller(const std::string& from = "127.0.0.1") : fd_(socket(AF_INET, SOCK_STREAM, 0)) {
    const auto address = address_of(from, 0);
    EXPECT_EQ(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  ~Caller() { close(fd_); }
  void connect_to(int port) const {
    const auto address = address_of("127.0.0.1", port);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  }
  // Blocks until the other end says something (true) or closes.
  [[nodiscard]] bool is_let_in() const {
    char byte = 0;
    return recv(fd_, &byte, 1, 0) == 1;
  }

 private:
  int fd_;
};

class ListenerTest : public testing::Test {
 protected:
  void TearDown() override {
    listener_.stop();
    for (int fd : accepted_) close(fd);
  }
  void start(Listener::Limits limits) {
    for (port_ = 20000 + getpid() % 20000; !listener_.listen("127.0.0.1", port_); ++port_) {
    }
    auto accept = [this](int fd) {
      std::lock_guard lock(mutex_);
      accepted_.insert(fd);  // Before the caller can know.
      EXPECT_EQ(send(fd, "x", 1, 0), 1);
    };
    auto on_news = [this](const std::string& what) {
      std::lock_guard lock(mutex_);
      news_ += what + "\n";
      changed_.notify_all();
    };
    listener_.start(limits, {accept, on_news});
  }
  void end_all() {
    std::lock_guard lock(mutex_);
    for (int fd : accepted_) close(fd);
    accepted_.clear();
  }

  Listener listener_;
  int port_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<int> accepted_;
  std::string news_;
};

TEST_F(ListenerTest, GoesOnAfterAShortageOfDescriptors) {
  start({100, 100});
  const Caller caller, later;
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  const int next = dup(0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(next);
  close(next);
  setrlimit(RLIMIT_NOFILE, &none);
  caller.connect_to(port_);  // The kernel connects it; nobody can accept it.
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return news_.find("nobody can connect") != std::string::npos; });
  }
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_TRUE(caller.is_let_in());
  later.connect_to(port_);
  EXPECT_TRUE(later.is_let_in());
}

TEST_F(ListenerTest, OneAddressLeavesRoomForOthers) {
  start({4, 2});
  const Caller a, b, c, other("127.0.0.2");
  for (const Caller* caller : {&a, &b, &c}) caller->connect_to(port_);
  EXPECT_TRUE(a.is_let_in());
  EXPECT_TRUE(b.is_let_in());
  EXPECT_FALSE(c.is_let_in());
  other.connect_to(port_);
  EXPECT_TRUE(other.is_let_in());
  EXPECT_EQ(listener_.refused(), 1u);
  EXPECT_THAT(news_,
              testing::HasSubstr("refused lately, the last from 127.0.0.1, which has 2 of 2"));
}

TEST_F(ListenerTest, AConnectionThatHasEndedCountsNoMore) {
  start({4, 1});
  const Caller first;
  first.connect_to(port_);
  EXPECT_TRUE(first.is_let_in());
  end_all();
  for (bool in = false; !in;) {  // It looks twice a second.
    const Caller again;
    again.connect_to(port_);
    in = again.is_let_in();
  }
}

TEST(ListenerLimits, KeepSomeForTheProcessAndAQuarterForOtherAddresses) {
  EXPECT_EQ(Listener::limits_for(64).in_all, 32u);
  EXPECT_EQ(Listener::limits_for(64).of_one_address, 24u);
  EXPECT_EQ(Listener::limits_for(20'000).in_all, 20'000u - 256);
  EXPECT_EQ(Listener::limits_for(20'000).of_one_address, 14'808u);
  EXPECT_EQ(Listener::limits_for(1'000'000).of_one_address, Listener::kMaxOfOneAddress);
}

TEST(ListenerErrors, APortInUseIsNamed) {
  Listener first, second;
  int port = 20000 + getpid() % 20000;
  while (!first.listen("127.0.0.1", port)) ++port;
  const Status refused = second.listen("127.0.0.1", port);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::HasSubstr("choose another with --port"));
}

}  // namespace
}  // namespace muster::io
