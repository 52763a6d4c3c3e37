#pragma once

#include <deque>

#include "roles/role.h"

namespace muster::io {

// What waits to be written to one line. Control goes before bulk, so that a heartbeat never waits
// behind a chunk. Bounded: beyond kMaxBytes push() refuses, and the line is better given up.
class SendQueue {
 public:
  static constexpr size_t kMaxBytes = 64u << 20;

  bool push(pb::Envelope envelope) {
    bytes_ += envelope.ByteSizeLong();
    if (bytes_ > kMaxBytes) return false;
    (is_bulk(envelope) ? bulk_ : control_).push_back(std::move(envelope));
    return true;
  }
  [[nodiscard]] bool empty() const { return control_.empty() && bulk_.empty(); }
  pb::Envelope pop() {
    auto& queue = control_.empty() ? bulk_ : control_;
    pb::Envelope next = std::move(queue.front());
    queue.pop_front();
    bytes_ -= next.ByteSizeLong();
    return next;
  }

 private:
  static bool is_bulk(const pb::Envelope& envelope) {
    return envelope.has_put() || envelope.has_feed() || envelope.has_grant();
  }
  std::deque<pb::Envelope> control_, bulk_;
  size_t bytes_ = 0;
};

}  // namespace muster::io
