#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace muster::io {

// Tells by the first bytes of a connection, which it leaves where they are, to which of two doors
// it goes: to that for who has no certificate yet (identity::kDoorName, in the greeting of TLS), or
// to all others'. Who says nothing for kWait is closed, and so is who has greeted with something
// that is too long. On a thread of its own; about 1 us a connection, and no byte of memory for what
// it said.
class Doorway {
 public:
  static constexpr std::chrono::seconds kWait{8};

  // Each takes over a connected socket. The doorway's thread calls them.
  struct Doors {
    std::function<void(int fd)> join, pool;
  };
  explicit Doorway(Doors doors);
  ~Doorway();
  Doorway(const Doorway&) = delete;
  Doorway& operator=(const Doorway&) = delete;

  // A connected socket that does not block, which is this doorway's from now on. Any thread.
  void take(int fd);

 private:
  using Instant = std::chrono::steady_clock::time_point;
  void run();
  void look(int fd);
  void let_go(int fd, const std::function<void(int fd)>& door);
  void close_the_silent(Instant now);

  const Doors doors_;
  int poll_, wake_;
  std::mutex mutex_;
  std::map<int, Instant> waiting_;  // Since when. Guarded.
  std::thread thread_;
};

}  // namespace muster::io
