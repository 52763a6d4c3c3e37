#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "web/http/event_queue.h"

namespace muster::web {

// Server-sent events, to whoever asked for their topics, and to who comes again the ones he missed.
//
// Ids are "<boot>.<number>": who names another boot, or an event that is kept no more (kMostKept),
// is told to read the state again (`resync`). Thread-safe; no call waits for a reader.
class EventLog {
 public:
  static constexpr size_t kMostKept = 1000;

  // `boot`: of this life of the website.
  explicit EventLog(std::string boot) : boot_(std::move(boot)) {}

  // One line of JSON for each who asked for one of the topics.
  void tell(const std::vector<std::string>& topics, std::string_view name, std::string_view data);
  // The last one that was told.
  [[nodiscard]] std::string last() const;
  // `after`: the last that he has seen; empty: none.
  std::shared_ptr<EventQueue> follow(std::set<std::string> topics, std::string_view after);
  // Tells everybody that the website ends, and ends the streams.
  void end(std::string_view bye);

 private:
  struct Kept {
    uint64_t number = 0;
    std::vector<std::string> topics;
    std::string text;
  };
  struct Reader {
    std::set<std::string> topics;
    std::weak_ptr<EventQueue> queue;
  };
  [[nodiscard]] std::string id_of(uint64_t number) const;
  [[nodiscard]] bool is_kept_since(std::string_view after, uint64_t& number) const;
  static bool hears(const std::set<std::string>& wanted, const std::vector<std::string>& topics);

  const std::string boot_;
  mutable std::mutex mutex_;  // Guards what follows.
  uint64_t number_ = 0;
  std::deque<Kept> kept_;
  std::vector<Reader> readers_;
};

}  // namespace muster::web
