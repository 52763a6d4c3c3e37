#pragma once

#include <functional>
#include <thread>

namespace muster::io {

// Calls `stop` once when the process is told to end (SIGTERM, SIGINT, SIGHUP). Make it first,
// before any other thread exists, so that the signals reach nobody else. A second signal ends at
// once.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  void on_stop(std::function<void()> stop);

 private:
  std::thread thread_;
};

}  // namespace muster::io
