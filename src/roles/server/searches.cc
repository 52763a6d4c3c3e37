#include "roles/server/searches.h"

#include <utility>

namespace muster::roles::server {

bool Searches::ask(Instant now, pb::Envelope call, FindJobs what, Effects& effects) {
  if (waiting_.size() >= kMost) return false;
  what.call = next_++;
  waiting_[what.call] = {std::move(call), now + kWait};
  effects.run.push_back(std::move(what));
  return true;
}

std::optional<pb::Envelope> Searches::take(uint64_t search) {
  auto found = waiting_.extract(search);
  if (found.empty()) return std::nullopt;
  return std::move(found.mapped().call);
}

std::vector<pb::Envelope> Searches::expire(Instant now, Effects& effects) {
  std::vector<pb::Envelope> calls;
  while (!waiting_.empty() && waiting_.begin()->second.give_up_at <= now) {
    calls.push_back(std::move(waiting_.begin()->second.call));
    waiting_.erase(waiting_.begin());
  }
  if (!waiting_.empty()) effects.wake_by(waiting_.begin()->second.give_up_at);
  return calls;
}

void Searches::excuse(Instant now) {
  for (auto& [search, waiting] : waiting_) waiting.give_up_at = now + kWait;
}

void Searches::hang_up(const std::string& client) {
  std::erase_if(waiting_,
                [&](const auto& entry) { return entry.second.call.from().machine() == client; });
}

}  // namespace muster::roles::server
