#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "io/mesh/seldom.h"

namespace muster::io {

// Accepts connections on a thread of its own. gRPC 1.51 has a loop of its own, which gives its
// socket up for good when accept() once finds no descriptor free; this one waits a moment and goes
// on.
//
// Connections are counted before anything is read from them. Over a limit a newcomer is closed at
// once. Limits follow from how many files the process may open: kReserve of them (at most half) are
// for itself, three quarters of the rest for one address, at most kMaxOfOneAddress. That is
// generous on purpose: a lab behind one NAT is one address.
class Listener {
 public:
  static constexpr size_t kReserve = 256, kMaxOfOneAddress = 16'384;
  struct Limits {
    size_t in_all, of_one_address;
  };
  static Limits limits_for(size_t descriptors);

  // `accept` takes over a connected socket, which is closed when its connection ends; `on_news`
  // gets a sentence now and then. The listener's thread calls both.
  struct Hooks {
    std::function<void(int fd)> accept;
    std::function<void(const std::string&)> on_news;
  };

  Listener() = default;
  ~Listener() { stop(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Takes the port; an IPv6 address stands without brackets. kUnavailable, when the port is in use
  // or the address is not this machine's. Connections wait in the kernel until start().
  Status listen(const std::string& host, int port);
  void start(Limits limits, Hooks hooks);
  void stop();
  // Connections that were over a limit, since start(). Safe from any thread.
  [[nodiscard]] uint64_t refused() const { return refused_count_; }

 private:
  struct Held {
    int fd;
    ino_t socket;  // A descriptor's number is used again, its socket's is not.
  };
  void run();
  bool accept_all();
  void take(int fd, const std::string& address);
  void sweep();

  int socket_ = -1, wake_ = -1;
  Limits limits_{};
  Hooks hooks_;
  std::map<std::string, std::vector<Held>> held_;  // By address.
  size_t count_ = 0;
  std::chrono::steady_clock::time_point swept_;
  Seldom starved_, refused_;
  std::atomic<uint64_t> refused_count_ = 0;
  std::thread thread_;
};

}  // namespace muster::io
