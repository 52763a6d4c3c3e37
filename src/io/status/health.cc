#include "io/status/health.h"

#include <utility>

namespace muster::io {

void Health::begin(std::vector<Condition> conditions) {
  std::lock_guard lock(mutex_);
  if (phase_ == Phase::kEnding) return;
  phase_ = Phase::kServing;
  conditions_ = std::move(conditions);
}

void Health::end() {
  std::lock_guard lock(mutex_);
  phase_ = Phase::kEnding;
  conditions_.clear();
}

std::vector<std::string> Health::why_not_live() const {
  const Duration still = still_for_();
  if (still <= kMostStill) return {};
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(still);
  return {"its loop has not moved for " + std::to_string(whole.count()) + " s"};
}

std::vector<std::string> Health::why_not_ready() const {
  std::vector<std::string> why = why_not_live();
  std::lock_guard lock(mutex_);
  if (phase_ == Phase::kStarting) why.emplace_back("it is starting");
  if (phase_ == Phase::kEnding) why.emplace_back("it is stopping");
  for (const Condition& condition : conditions_) {
    if (std::string missing = condition(); !missing.empty()) why.push_back(std::move(missing));
  }
  return why;
}

}  // namespace muster::io
