#pragma once

#include <deque>
#include <map>
#include <string>

#include "roles/role.h"
#include "wire/bounds.h"

namespace muster::io {

// What waits to be written to one line, by who says it: senders take turns, so that nobody waits
// behind what another has heaped up; of each, control goes before bulk. What the owner of this end
// says itself (the sender "") goes before all, so that a heartbeat waits for nobody.
//
// Bounded: others may keep kShare bytes here each and kOthers together, the owner kMaxBytes with
// them. What finds no room is left out and the line goes on: whatever matters is said again.
class SendQueue {
 public:
  static constexpr size_t kMaxBytes = 64u << 20, kOthers = kMaxBytes / 4 * 3,
                          kShare = kMaxBytes / 4;
  enum class Pushed { kYes, kTooLarge, kFull };

  Pushed push(pb::Envelope envelope, const std::string& sender = "") {
    const size_t bytes = envelope.ByteSizeLong();
    if (bytes > wire::kMaxEnvelopeBytes) return Pushed::kTooLarge;
    if (!has_room(sender, bytes)) return Pushed::kFull;
    Waiting& waiting = by_sender_[sender];
    if (waiting.empty() && !sender.empty()) turns_.push_back(sender);
    (is_bulk(envelope) ? waiting.bulk : waiting.control).push_back(std::move(envelope));
    waiting.bytes += bytes;
    bytes_ += bytes;
    return Pushed::kYes;
  }
  [[nodiscard]] bool empty() const { return by_sender_.empty(); }
  // The next one to write. Not when it is empty.
  pb::Envelope pop() {
    const std::string sender = by_sender_.contains("") ? "" : turns_.front();
    Waiting& waiting = by_sender_.at(sender);
    auto& queue = waiting.control.empty() ? waiting.bulk : waiting.control;
    pb::Envelope next = std::move(queue.front());
    queue.pop_front();
    const size_t bytes = next.ByteSizeLong();
    waiting.bytes -= bytes;
    bytes_ -= bytes;
    end_turn(sender, waiting);
    return next;
  }

 private:
  struct Waiting {
    std::deque<pb::Envelope> control, bulk;  // kShare together; the owner's, kMaxBytes.
    size_t bytes = 0;
    [[nodiscard]] bool empty() const { return control.empty() && bulk.empty(); }
  };
  static bool is_bulk(const pb::Envelope& envelope) {
    return envelope.has_put() || envelope.has_feed() || envelope.has_grant();
  }
  [[nodiscard]] bool has_room(const std::string& sender, size_t bytes) const {
    if (sender.empty()) return bytes_ + bytes <= kMaxBytes;
    auto found = by_sender_.find(sender);
    const size_t own = found == by_sender_.end() ? 0 : found->second.bytes;
    return own + bytes <= kShare && bytes_ + bytes <= kOthers;
  }
  void end_turn(const std::string& sender, const Waiting& waiting) {
    const bool more = !waiting.empty();
    if (!more) by_sender_.erase(sender);
    if (sender.empty()) return;
    turns_.pop_front();
    if (more) turns_.push_back(sender);
  }

  std::map<std::string, Waiting> by_sender_;  // Only of whom something waits.
  std::deque<std::string> turns_;             // The same, without the owner.
  size_t bytes_ = 0;
};

}  // namespace muster::io
