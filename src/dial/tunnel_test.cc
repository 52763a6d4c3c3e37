#include "dial/tunnel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "dial/listener_for_test.h"

namespace muster::dial {
namespace {

using testing::HasSubstr;

constexpr char kYes[] = "HTTP/1.1 200 OK\r\n\r\n";

// Connects as gRPC would.
Descriptor enter(const Tunnel& tunnel) {
  const std::string name = tunnel.target().substr(std::strlen("unix-abstract:"));
  Descriptor made(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const size_t size = offsetof(sockaddr_un, sun_path) + 1 + name.size();
  ::connect(made.fd, reinterpret_cast<sockaddr*>(&address), static_cast<socklen_t>(size));
  return made;
}

Route by(const Listener& listener) {
  return {"pool:1", Proxy{{"127.0.0.1", listener.port}, "", "--proxy"}};
}

// A proxy behind which an echo is, up to the first "!".
void echo(int socket) {
  Listener::read_to(socket, "\r\n\r\n");
  Listener::say(socket, kYes);
  Listener::say(socket, Listener::read_to(socket, "!"));
}

TEST(Tunnel, CarriesBothWaysOneConnectionAfterTheOther) {
  Listener listener(echo);
  Dialer dialer(by(listener));
  const auto tunnel = *Tunnel::open(dialer);
  for (const std::string& words : {std::string("hello!"), std::string("again!")}) {
    const Descriptor near = enter(*tunnel);
    Listener::say(near.fd, words);
    EXPECT_EQ(Listener::read_to(near.fd, "never"), words) << "and then its end";
  }
  EXPECT_FALSE(dialer.trouble());
}

TEST(Tunnel, CarriesMoreThanItHolds) {
  Listener listener(echo);
  Dialer dialer(by(listener));
  const auto tunnel = *Tunnel::open(dialer);
  const Descriptor near = enter(*tunnel);
  const std::string words = std::string(5u << 20, 'x') + "!";
  std::thread writer([&] {
    for (size_t said = 0; said < words.size();) {
      said += static_cast<size_t>(::send(near.fd, words.data() + said, words.size() - said, 0));
    }
  });
  EXPECT_EQ(Listener::read_to(near.fd, "!"), words);
  writer.join();
}

TEST(Tunnel, SaysWhatIsWrongWithTheWay) {
  std::string answer = "HTTP/1.1 502 Bad Gateway\r\n\r\n";
  Listener listener([&](int socket) {
    Listener::read_to(socket, "\r\n\r\n");
    Listener::say(socket, answer);
    if (answer == kYes) Listener::read_to(socket, "!");
  });
  Dialer dialer(by(listener));
  const auto tunnel = *Tunnel::open(dialer);
  EXPECT_EQ(Listener::read_to(enter(*tunnel).fd, "never"), "");
  EXPECT_THAT(dialer.trouble()->message, HasSubstr("cannot connect to pool:1 (502"));
  answer = kYes;
  {
    const Descriptor near = enter(*tunnel);
    Listener::say(near.fd, "!");
    Listener::read_to(near.fd, "never");
  }
  EXPECT_FALSE(dialer.trouble());
}

TEST(Tunnel, AsksNotAgainWhenItIsRefused) {
  int asked = 0;
  {
    Listener listener([&](int socket) {
      ++asked;
      Listener::read_to(socket, "\r\n\r\n");
      Listener::say(socket, "HTTP/1.1 407 x\r\n\r\n");
    });
    Dialer dialer(by(listener));
    const auto tunnel = *Tunnel::open(dialer);
    for (int i = 0; i < 3; ++i) EXPECT_EQ(Listener::read_to(enter(*tunnel).fd, "never"), "");
    EXPECT_EQ(dialer.trouble()->code, Code::kPermission);
  }
  EXPECT_EQ(asked, 1);
}

TEST(Tunnel, IsForThisProcessAlone) {
  int asked = 0;
  {
    Listener listener([&](int) { ++asked; });
    Dialer dialer(by(listener));
    const auto tunnel = *Tunnel::open(dialer);
    const pid_t child = ::fork();
    if (child == 0) {
      const bool is_sent_away = Listener::read_to(enter(*tunnel).fd, "never").empty();
      ::_exit(is_sent_away ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    EXPECT_FALSE(dialer.trouble());
  }
  EXPECT_EQ(asked, 0);
}

TEST(Tunnel, EndsWhateverItCarries) {
  std::atomic<bool> carries = false;
  Listener listener([&](int socket) {
    Listener::read_to(socket, "\r\n\r\n");
    Listener::say(socket, kYes);
    carries = true;
    carries.notify_all();
    Listener::read_to(socket, "never");
  });
  Dialer dialer(by(listener));
  auto tunnel = *Tunnel::open(dialer);
  const Descriptor near = enter(*tunnel);
  carries.wait(false);
  tunnel.reset();
  EXPECT_EQ(Listener::read_to(near.fd, "never"), "");
}

}  // namespace
}  // namespace muster::dial
