#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <string>

#include "io/database/connection.h"

namespace muster::io {

// Whether the database can be asked: a connection that was lost is opened again, after a while that
// grows to 5 s. Of one thread, but for is_there().
class Reach {
 public:
  // `connection` outlives the object, and is open. `news` hears when it is lost, and back.
  Reach(Connection& connection, std::function<void(const std::string&)> news)
      : connection_(connection), news_(std::move(news)) {}

  // Ok: a statement may be tried. Else kUnavailable, and why. Opens it when that is due, which may
  // take some seconds.
  Status try_now();
  void lose(const std::exception& error);

  // As it was when it was last tried. Of any thread.
  [[nodiscard]] bool is_there() const { return is_there_; }

 private:
  using Clock = std::chrono::steady_clock;

  Connection& connection_;
  std::function<void(const std::string&)> news_;
  std::atomic<bool> is_there_ = true;
  std::string why_;
  Clock::duration pause_{};
  Clock::time_point next_{};
};

}  // namespace muster::io
