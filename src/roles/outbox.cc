#include "roles/outbox.h"

#include <algorithm>

#include "roles/message.h"

namespace muster::roles {

void Outbox::add(const pb::SignedRecord& record, uint64_t tag) {
  Waiting& waiting = waiting_[record_digest(record)];
  waiting.record = record;
  waiting.tags.insert(tag);
  next_due_ = std::min(next_due_, waiting.due);
}

void Outbox::drop(uint64_t tag) {
  std::erase_if(waiting_, [tag](const auto& entry) { return entry.second.tags.contains(tag); });
}

void Outbox::set_view(const pb::View& view) {
  if (view.number() <= view_.number()) return;
  view_ = view;
  targets_.clear();
  for (const auto& member : view.members()) targets_.push_back(member.machine());
  for (const auto& joiner : view.joiners()) targets_.push_back(joiner.machine());
  for (auto& [digest, waiting] : waiting_) {
    waiting.acknowledged.clear();
    waiting.due = {};
  }
  next_due_ = {};
}

std::vector<uint64_t> Outbox::acknowledge(const std::string& machine, const pb::PutDone& done) {
  std::vector<uint64_t> tags;
  const bool counts = done.view() == view_.number() &&
                      std::find(targets_.begin(), targets_.end(), machine) != targets_.end();
  if (!counts) return tags;
  for (const std::string& bytes : done.digests()) {
    const auto digest = Digest::from_bytes(bytes);
    auto found = digest ? waiting_.find(*digest) : waiting_.end();
    if (found == waiting_.end()) continue;
    found->second.acknowledged.insert(machine);
    if (found->second.acknowledged.size() < targets_.size()) continue;
    tags.insert(tags.end(), found->second.tags.begin(), found->second.tags.end());
    waiting_.erase(found);
  }
  return tags;
}

// One machine's due records, in Puts of bounded size.
void Outbox::send_to(const std::string& machine, Instant now, Effects& effects) {
  pb::Envelope envelope = envelope_to(address(pb::ROLE_STORAGE, machine));
  size_t bytes = 0;
  auto flush = [&] {
    if (bytes == 0) return;
    envelope.mutable_put()->set_view(view_.number());
    effects.send.push_back({std::move(envelope)});
    envelope = envelope_to(address(pb::ROLE_STORAGE, machine));
    bytes = 0;
  };
  for (const auto& [digest, waiting] : waiting_) {
    if (waiting.due > now || waiting.acknowledged.contains(machine)) continue;
    const size_t size = waiting.record.ByteSizeLong();
    if (bytes + size > kMaxPutBytes) flush();
    *envelope.mutable_put()->add_records() = waiting.record;
    bytes += size;
  }
  flush();
}

void Outbox::send_due(Instant now, Effects& effects) {
  if (waiting_.empty() || targets_.empty()) return;
  if (next_due_ > now) return effects.wake_by(next_due_);
  for (const std::string& machine : targets_) send_to(machine, now, effects);
  for (auto& [digest, waiting] : waiting_) {
    if (waiting.due <= now) waiting.due = now + kRepeatEvery;
  }
  next_due_ = std::min_element(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) {
                return a.second.due < b.second.due;
              })->second.due;
  effects.wake_by(next_due_);
}

}  // namespace muster::roles
