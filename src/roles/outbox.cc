#include "roles/outbox.h"

#include <algorithm>

#include "wire/envelope.h"
#include "wire/record.h"

namespace muster::roles {
namespace {

// One machine's records, in Puts of bounded size.
class Puts {
 public:
  Puts(std::string machine, uint64_t view, Effects& effects)
      : machine_(std::move(machine)), view_(view), effects_(effects) {
    begin();
  }
  void add(const pb::SignedRecord& record, size_t bytes) {
    if (bytes_ + bytes > kMaxPutBytes) flush();
    *envelope_.mutable_put()->add_records() = record;
    bytes_ += bytes;
  }
  void flush() {
    if (bytes_ == 0) return;
    effects_.send.push_back({std::move(envelope_)});
    begin();
  }

 private:
  void begin() {
    envelope_ = envelope_to(address(pb::ROLE_STORAGE, machine_));
    envelope_.mutable_put()->set_view(view_);
    bytes_ = 0;
  }
  std::string machine_;
  uint64_t view_;
  Effects& effects_;
  pb::Envelope envelope_;
  size_t bytes_ = 0;
};

}  // namespace

void Outbox::add(const pb::SignedRecord& record, uint64_t tag) {
  auto [entry, is_new] = waiting_.try_emplace(record_digest(record));
  Waiting& waiting = entry->second;
  waiting.tags.insert(tag);
  if (!is_new) return;
  waiting.record = record;
  waiting.bytes = record.ByteSizeLong();
  waiting.order = next_order_++;
  order_[waiting.order] = entry->first;
}

void Outbox::forget_sent(Target& target, const Waiting& waiting) {
  if (target.sent.erase(waiting.order) > 0) target.bytes -= waiting.bytes;
}

void Outbox::drop(uint64_t tag) {
  std::erase_if(waiting_, [&](const auto& entry) {
    if (!entry.second.tags.contains(tag)) return false;
    for (auto& [machine, target] : targets_) forget_sent(target, entry.second);
    order_.erase(entry.second.order);
    return true;
  });
}

void Outbox::set_view(const pb::View& view) {
  const bool same =
      view.number() == view_.number() && view.SerializeAsString() == view_.SerializeAsString();
  if (same) return;
  view_ = view;
  targets_.clear();
  for (const auto& member : view.members()) targets_[member.machine()];
  for (const auto& joiner : view.joiners()) targets_[joiner.machine()];
  for (auto& [digest, waiting] : waiting_) waiting.acknowledged.clear();
}

std::vector<uint64_t> Outbox::acknowledge(Instant now, const std::string& machine,
                                          const pb::PutDone& done) {
  std::vector<uint64_t> tags;
  auto target = targets_.find(machine);
  if (target == targets_.end() || done.view() != view_.number()) return tags;
  for (const std::string& bytes : done.digests()) {
    const auto digest = Digest::from_bytes(bytes);
    auto found = digest ? waiting_.find(*digest) : waiting_.end();
    if (found == waiting_.end()) continue;
    Waiting& waiting = found->second;
    if (!waiting.acknowledged.insert(machine).second) continue;
    target->second.heard = now;
    forget_sent(target->second, waiting);
    if (waiting.acknowledged.size() < targets_.size()) continue;
    tags.insert(tags.end(), waiting.tags.begin(), waiting.tags.end());
    if (waiting.sent) took_.push_back(now - *waiting.sent);
    order_.erase(waiting.order);
    waiting_.erase(found);
  }
  return tags;
}

void Outbox::on_answer(Instant now, const std::string& machine) {
  if (auto target = targets_.find(machine); target != targets_.end()) target->second.heard = now;
}

void Outbox::on_resumed(Instant now) {
  for (auto& [machine, target] : targets_) {
    target.heard = now;
    for (auto& [order, sent] : target.sent) sent.first = now;
  }
}

std::vector<std::string> Outbox::silent(Instant now) const {
  std::vector<std::string> silent;
  for (const auto& [machine, target] : targets_) {
    if (target.sent.empty()) continue;
    const Instant oldest = target.sent.begin()->second.first;
    if (now - target.heard >= kPatience || now - oldest >= kLongest) silent.push_back(machine);
  }
  return silent;
}

// What was sent long ago is sent again; what was not sent yet follows while there is room.
void Outbox::send_to(const std::string& machine, Target& target, Instant now, Effects& effects) {
  Puts puts(machine, view_.number(), effects);
  if (target.sent.empty()) target.heard = now;
  if (!target.sent.empty() && target.due <= now) {
    for (auto& [order, sent] : target.sent) {
      if (sent.due > now) continue;
      const Waiting& waiting = waiting_.at(order_.at(order));
      puts.add(waiting.record, waiting.bytes);
      sent.due = now + kRepeatEvery;
    }
    target.due = std::min_element(target.sent.begin(), target.sent.end(), [](auto& a, auto& b) {
                   return a.second.due < b.second.due;
                 })->second.due;
  }
  for (auto next = order_.lower_bound(target.next); next != order_.end(); ++next) {
    Waiting& waiting = waiting_.at(next->second);
    if (target.bytes > 0 && target.bytes + waiting.bytes > kWindowBytes) break;
    target.next = next->first + 1;
    if (waiting.acknowledged.contains(machine)) continue;
    puts.add(waiting.record, waiting.bytes);
    if (!waiting.sent) waiting.sent = now;
    if (target.sent.empty()) target.due = now + kRepeatEvery;
    target.sent[next->first] = {now, now + kRepeatEvery};
    target.bytes += waiting.bytes;
  }
  puts.flush();
}

void Outbox::send_due(Instant now, Effects& effects) {
  effects.acknowledged.insert(effects.acknowledged.end(), took_.begin(), took_.end());
  took_.clear();
  if (waiting_.empty()) return;
  for (auto& [machine, target] : targets_) {
    send_to(machine, target, now, effects);
    if (!target.sent.empty()) effects.wake_by(target.due);
  }
}

}  // namespace muster::roles
