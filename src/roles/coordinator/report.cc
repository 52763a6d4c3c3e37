#include "roles/coordinator/report.h"

namespace muster::roles::coordinator {

void Report::note_event(Instant now, const std::string& machine, const std::string& text) {
  if (said_.size() >= kMost) said_.pop_front();
  Said& said = said_.emplace_back(Said{{}, now + kSaidFor});
  said.event.set_number(next_++);
  said.event.set_machine(machine);
  said.event.set_text(text);
}

bool Report::begin(Instant now, Effects& effects) {
  const bool is_due = due_ <= now;
  if (is_due) due_ = now + kEvery;
  effects.wake_by(due_);
  return is_due;
}

void Report::add_events(Instant now, pb::JobProgress& progress) {
  while (!said_.empty() && said_.front().until <= now) said_.pop_front();
  for (const Said& said : said_) *progress.add_events() = said.event;
}

}  // namespace muster::roles::coordinator
