#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/file.h"

namespace muster::dial {

// Somebody at a port of loopback: `serve` gets one connection after the other, on a thread of its
// own, and closes it by returning.
class Listener {
 public:
  explicit Listener(std::function<void(int)> serve)
      : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), serve_(std::move(serve)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(listener_.fd, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_.fd, 16);
    ::getsockname(listener_.fd, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ~Listener() {
    ::shutdown(listener_.fd, SHUT_RDWR);
    thread_.join();
  }

  // What comes until it ends with `end`, or is over.
  static std::string read_to(int socket, std::string_view end) {
    std::string text;
    std::array<char, 4096> bytes;
    while (!text.ends_with(end)) {
      const ssize_t count = ::recv(socket, bytes.data(), bytes.size(), 0);
      if (count <= 0) break;
      text.append(bytes.data(), static_cast<size_t>(count));
    }
    return text;
  }
  static void say(int socket, std::string_view text) {
    ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
  }

  int port = 0;

 private:
  void run() {
    while (true) {
      const Descriptor connection(::accept(listener_.fd, nullptr, nullptr));
      if (connection.fd < 0) return;
      serve_(connection.fd);
    }
  }

  Descriptor listener_;
  std::function<void(int)> serve_;
  std::thread thread_;
};

}  // namespace muster::dial
