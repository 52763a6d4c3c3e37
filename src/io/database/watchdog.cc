#include "io/database/watchdog.h"

#include <sys/socket.h>

namespace muster::io {

Watchdog::Watchdog() : thread_([this] { run(); }) {}

Watchdog::~Watchdog() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Watchdog::run() {
  std::unique_lock lock(mutex_);
  while (!is_over_) {
    if (socket_ < 0) {
      changed_.wait(lock);
    } else if (Clock::now() >= until_) {
      ::shutdown(socket_, SHUT_RDWR);
      socket_ = -1;
    } else {
      changed_.wait_until(lock, until_);
    }
  }
}

Watchdog::Watch::Watch(Watchdog& dog, int socket, std::chrono::milliseconds patience) : dog_(dog) {
  const std::lock_guard lock(dog_.mutex_);
  dog_.socket_ = socket;
  dog_.until_ = Clock::now() + patience;
  dog_.changed_.notify_one();
}

Watchdog::Watch::~Watch() {
  const std::lock_guard lock(dog_.mutex_);
  dog_.socket_ = -1;
}

}  // namespace muster::io
