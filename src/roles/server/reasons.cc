#include "roles/server/reasons.h"

#include <algorithm>

#include "base/check.h"

namespace muster::roles::server {
namespace {

constexpr int64_t kOftenMs = 10'000;

}  // namespace

void Reasons::restore(pb::Reason reason) {
  auto& reasons = stories_[reason.job()].reasons;
  reasons.push_back(std::move(reason));
}

void Reasons::note_event(const pb::JobRow& run, const std::string& machine, const std::string& text,
                         int64_t at_ms, Effects& effects) {
  Story& story = stories_[run.job()];
  const auto last =
      std::find_if(story.reasons.rbegin(), story.reasons.rend(),
                   [&](const pb::Reason& reason) { return reason.machine() == machine; });
  const bool again = last != story.reasons.rend() && last->text() == text;
  pb::Reason& reason = again ? *last : add(story, run, machine, text);
  reason.set_times(reason.times() + 1);
  const bool is_rare = at_ms - reason.at_ms() >= kOftenMs;
  const bool is_power_of_two = (reason.times() & (reason.times() - 1)) == 0;
  reason.set_at_ms(at_ms);
  if (is_rare || is_power_of_two) effects.commits.push_back({ids_.next(), {SaveReason{reason}}});
}

pb::Reason& Reasons::add(Story& story, const pb::JobRow& run, const std::string& machine,
                         const std::string& text) {
  const uint64_t number = story.reasons.empty() ? 1 : story.reasons.back().number() + 1;
  if (story.reasons.size() >= kMost) story.reasons.pop_front();
  pb::Reason& reason = story.reasons.emplace_back();
  reason.set_job(run.job());
  reason.set_run(run.run());
  reason.set_number(number);
  reason.set_machine(machine);
  reason.set_text(text);
  return reason;
}

void Reasons::note_happenings(const pb::JobRow& run, const pb::JobProgress& progress, int64_t at_ms,
                              Effects& effects) {
  for (const pb::Happening& happening : progress.happenings()) {
    auto& heard = stories_[run.job()].heard;
    const std::pair number{progress.key().epoch(), happening.number()};
    if (number <= heard) continue;
    heard = number;
    note_event(run, happening.machine(), happening.text(), at_ms, effects);
  }
}

void Reasons::list_job(const std::string& job, pb::WhyReply& reply) const {
  const auto found = stories_.find(job);
  if (found == stories_.end()) return;
  for (const pb::Reason& reason : found->second.reasons) *reply.add_reasons() = reason;
}

void Reasons::list_machine(const std::string& machine, pb::WhyReply& reply) const {
  for (const auto& [job, story] : stories_) {
    for (const pb::Reason& reason : story.reasons) {
      if (reason.machine() == machine) *reply.add_reasons() = reason;
    }
  }
  std::stable_sort(reply.mutable_reasons()->begin(), reply.mutable_reasons()->end(),
                   [](const pb::Reason& a, const pb::Reason& b) { return a.at_ms() < b.at_ms(); });
  const int more = reply.reasons_size() - static_cast<int>(kMost);
  if (more > 0) reply.mutable_reasons()->DeleteSubrange(0, more);
}

void Reasons::check() const {
  for (const auto& [job, story] : stories_) {
    const pb::Reason* before = nullptr;
    for (const pb::Reason& reason : story.reasons) {
      MUSTER_CHECK(reason.job() == job);
      MUSTER_CHECK(before == nullptr || before->run() == reason.run());
      MUSTER_CHECK(before == nullptr || before->number() < reason.number());
      before = &reason;
    }
  }
}

}  // namespace muster::roles::server
