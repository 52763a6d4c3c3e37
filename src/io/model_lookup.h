#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "host/ports.h"
#include "io/hub.h"

namespace muster::io {

// Asks the Hub which commit a name means, on threads of its own: a name for which the Hub is slow
// keeps no other waiting. Each look-up ends by the Hub's deadline; what could not begin within
// kLongestWait, or finds kMostWaiting before it, is answered by kTryLater. Destroying it ends those
// under way.
class ModelLookup final : public host::Hub {
 public:
  static constexpr int kThreads = 4;
  static constexpr size_t kMostWaiting = 100;
  static constexpr std::chrono::seconds kLongestWait{30};

  // `inbox` outlives the object.
  ModelLookup(host::Inbox& inbox, HubSettings settings);
  ~ModelLookup() override;
  void pin(pb::Role owner, const roles::PinModel& pin) override;

 private:
  struct Work {
    pb::Role owner;
    roles::PinModel pin;
    std::chrono::steady_clock::time_point asked;
  };
  void run();
  Result<pb::ModelPin> look_up(const Work& work);

  host::Inbox& inbox_;
  io::Hub hub_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Work> work_;  // kMostWaiting; see pin().
  std::atomic<bool> stopped_ = false;
  std::vector<std::thread> threads_;  // Last: they use all of the above.
};

}  // namespace muster::io
