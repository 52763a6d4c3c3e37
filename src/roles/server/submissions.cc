#include "roles/server/submissions.h"

#include "base/check.h"
#include "roles/server/client_replies.h"
#include "wire/envelope.h"

namespace muster::roles::server {

void Submissions::look_up(Instant now, const std::string& coordinator, Submission submission,
                          Effects& effects) {
  MUSTER_CHECK(has_room());
  const uint64_t call = next_call_++;
  const LookUp& look_up = pinning_[call] = {coordinator, std::move(submission), now + kPinWait};
  ask(call, look_up, effects);
}

void Submissions::ask_again(const std::string& coordinator, Effects& effects) const {
  for (const auto& [call, look_up] : pinning_) {
    if (look_up.coordinator == coordinator) ask(call, look_up, effects);
  }
}

void Submissions::ask(uint64_t call, const LookUp& look_up, Effects& effects) {
  pb::Envelope ask = envelope_to(address(pb::ROLE_COORDINATOR, look_up.coordinator));
  ask.mutable_pin_model()->set_call(call);
  ask.mutable_pin_model()->set_model(look_up.submission.submit.request().model());
  effects.send.push_back({std::move(ask)});
}

std::optional<Submission> Submissions::take_pinned(const std::string& coordinator, uint64_t call) {
  const auto found = pinning_.find(call);
  if (found == pinning_.end() || found->second.coordinator != coordinator) return std::nullopt;
  return std::move(pinning_.extract(found).mapped().submission);
}

void Submissions::expire(Instant now, Effects& effects) {
  for (auto it = pinning_.begin(); it != pinning_.end();) {
    effects.wake_by(it->second.give_up_at);
    if (it->second.give_up_at > now) {
      ++it;
      continue;
    }
    const Error error{Code::kTryLater, "the coordinator did not find the model in 60 s; try again"};
    effects.send.push_back({submit_failure(it->second.submission.client, error)});
    it = pinning_.erase(it);
  }
}

void Submissions::wait_for_row(const std::string& job, Submission submission) {
  auto& asking = asking_[job];
  if (asking.size() < kMostAsking) asking.push_back(std::move(submission));
}

std::vector<Submission> Submissions::take_waiting(const std::string& job) {
  auto found = asking_.extract(job);
  return found.empty() ? std::vector<Submission>() : std::move(found.mapped());
}

void Submissions::refuse(const std::string& token, const std::string& why, Effects& effects) {
  const auto is_of_it = [&](const Submission& submission) {
    if (submission.holder.token() != token) return false;
    effects.send.push_back({refusal(submission.client, why)});
    return true;
  };
  std::erase_if(pinning_, [&](const auto& entry) { return is_of_it(entry.second.submission); });
  for (auto& [job, asking] : asking_) std::erase_if(asking, is_of_it);
  std::erase_if(asking_, [](const auto& entry) { return entry.second.empty(); });
}

void Submissions::hang_up(const std::string& client) {
  std::erase_if(pinning_,
                [&](const auto& entry) { return entry.second.submission.client == client; });
  for (auto& [job, asking] : asking_) {
    std::erase_if(asking, [&](const Submission& waiting) { return waiting.client == client; });
  }
  std::erase_if(asking_, [](const auto& entry) { return entry.second.empty(); });
}

size_t Submissions::size() const {
  size_t count = pinning_.size();
  for (const auto& [job, asking] : asking_) count += asking.size();
  return count;
}

void Submissions::check() const {
  MUSTER_CHECK(pinning_.size() <= kMostPinning);
  MUSTER_CHECK(pinning_.empty() || pinning_.rbegin()->first < next_call_);
  for (const auto& [job, asking] : asking_) {
    MUSTER_CHECK(!asking.empty() && asking.size() <= kMostAsking);
  }
}

}  // namespace muster::roles::server
