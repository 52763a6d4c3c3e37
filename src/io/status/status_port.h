#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/address.h"
#include "base/result.h"

namespace muster::io {

// A few pages over plain HTTP/1, for machines that watch over a daemon: GET alone, an answer a
// connection, everything else is not found. A thread of its own; pages are made on it.
//
// Whoever can reach it can hold neither the daemon nor its descriptors: kMostConnections are open
// at once, each for kPatience at most, however it dribbles, and a newcomer takes the place of the
// oldest. So one that asks at once is answered though thousands are silent.
class StatusPort {
 public:
  static constexpr size_t kMostConnections = 64;
  static constexpr std::chrono::seconds kPatience{5};

  struct Reply {
    int code = 200;
    std::string type, body;
  };
  // By path. Called on the port's thread, one at a time; none blocks for long.
  using Pages = std::map<std::string, std::function<Reply()>>;

  // kUnavailable when the port is in use. Port 0: any that is free.
  static Result<std::unique_ptr<StatusPort>> open(const Address& address, Pages pages);
  ~StatusPort();
  StatusPort(const StatusPort&) = delete;
  StatusPort& operator=(const StatusPort&) = delete;

  [[nodiscard]] int port() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Connection {
    int fd;
    Clock::time_point until;
    std::string received, reply;
    size_t sent = 0;
  };
  StatusPort(int socket, Pages pages);
  void run();
  [[nodiscard]] int patience_ms() const;
  void accept_some();
  // False: it is over.
  bool go_on(Connection& connection) const;
  bool read(Connection& connection) const;
  bool write(Connection& connection) const;
  [[nodiscard]] Reply answer(std::string_view head) const;

  const int socket_, wake_;
  const Pages pages_;
  std::list<Connection> connections_;  // The oldest first.
  bool starved_ = false;               // Of descriptors, when it last accepted.
  std::thread thread_;                 // Last: it uses all of the above.
};

}  // namespace muster::io
