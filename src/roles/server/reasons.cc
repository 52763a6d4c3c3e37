#include "roles/server/reasons.h"

#include <algorithm>

#include "base/check.h"

namespace muster::roles::server {
namespace {

constexpr int64_t kOftenMs = 10'000;

}  // namespace

void Reasons::restore(pb::Reason reason) {
  auto& entries = stories_[reason.job()].entries;
  entries.push_back({std::move(reason), true});
}

void Reasons::note_event(const pb::JobRow& run, const std::string& machine, const std::string& text,
                         int64_t at_ms, Effects& effects) {
  Story& story = stories_[run.job()];
  const auto last =
      std::find_if(story.entries.rbegin(), story.entries.rend(),
                   [&](const Entry& entry) { return entry.reason.machine() == machine; });
  const bool again = last != story.entries.rend() && last->reason.text() == text;
  Entry& entry = again ? *last : add(story, run, machine, text);
  pb::Reason& reason = entry.reason;
  reason.set_times(reason.times() + 1);
  const bool is_rare = at_ms - reason.at_ms() >= kOftenMs;
  const bool is_power_of_two = (reason.times() & (reason.times() - 1)) == 0;
  reason.set_at_ms(at_ms);
  entry.is_written = false;
  if (is_rare || is_power_of_two) write(entry, effects);
}

Reasons::Entry& Reasons::add(Story& story, const pb::JobRow& run, const std::string& machine,
                             const std::string& text) {
  const uint64_t number = story.entries.empty() ? 1 : story.entries.back().reason.number() + 1;
  if (story.entries.size() >= kMost) story.entries.pop_front();
  Entry& entry = story.entries.emplace_back();
  entry.reason.set_job(run.job());
  entry.reason.set_run(run.run());
  entry.reason.set_number(number);
  entry.reason.set_machine(machine);
  entry.reason.set_text(text);
  return entry;
}

void Reasons::write(Entry& entry, Effects& effects) {
  effects.commits.push_back({ids_.next(), {SaveReason{entry.reason}}});
  entry.is_written = true;
}

void Reasons::end_run(const std::string& job, Effects& effects) {
  auto ended = stories_.extract(job);
  if (ended.empty()) return;
  for (Entry& entry : ended.mapped().entries) {
    if (!entry.is_written) write(entry, effects);
  }
}

void Reasons::note_events(const pb::JobRow& run, const pb::JobProgress& progress, int64_t at_ms,
                          Effects& effects) {
  for (const pb::JobEvent& event : progress.events()) {
    auto& heard = stories_[run.job()].heard;
    const std::pair number{progress.key().epoch(), event.number()};
    if (number <= heard) continue;
    heard = number;
    note_event(run, event.machine(), event.text(), at_ms, effects);
  }
}

void Reasons::list_job(const std::string& job, pb::WhyReply& reply) const {
  const auto found = stories_.find(job);
  if (found == stories_.end()) return;
  for (const Entry& entry : found->second.entries) *reply.add_reasons() = entry.reason;
}

void Reasons::list_machine(const std::string& machine, const std::vector<pb::Reason>& before,
                           pb::WhyReply& reply) const {
  for (const pb::Reason& reason : before) {
    if (!stories_.contains(reason.job())) *reply.add_reasons() = reason;
  }
  for (const auto& [job, story] : stories_) {
    for (const Entry& entry : story.entries) {
      if (entry.reason.machine() == machine) *reply.add_reasons() = entry.reason;
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
    for (const Entry& entry : story.entries) {
      const pb::Reason& reason = entry.reason;
      MUSTER_CHECK(reason.job() == job);
      MUSTER_CHECK(before == nullptr || before->run() == reason.run());
      MUSTER_CHECK(before == nullptr || before->number() < reason.number());
      before = &reason;
    }
  }
}

}  // namespace muster::roles::server
