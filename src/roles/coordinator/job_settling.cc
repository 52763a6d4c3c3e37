// A job's verdicts: what the votes on an item come to.
#include <algorithm>

#include "roles/coordinator/job.h"
#include "roles/message.h"
#include "roles/record.h"

namespace muster::roles::coordinator {

void Job::on_record(Instant now, const pb::SignedRecord& record, Effects& effects) {
  if (!seen_.insert(record_digest(record)).second) return;
  const auto opened = open_record(record, keys_);
  if (!opened || !opened->record.has_answer()) return;
  const pb::Answer& answer = opened->record.answer();
  const bool mine = opened->record.job() == key_.job() && opened->record.run() == key_.run() &&
                    answer.item() < items_.size();
  if (!mine) return;
  Item& item = items_[answer.item()];
  const bool fits = answer.request_digest() == item.requests.digest() &&
                    answer.responses_size() == item.requests.requests_size();
  if (!fits) {
    effects.warn("an answer of " + short_id(opened->machine) +
                 " does not fit its requests; dropped");
    return;
  }
  Vote vote{opened->machine,
            opened->digest,
            answer.numeric_class(),
            {answer.responses().begin(), answer.responses().end()}};
  classes_.insert(answer.numeric_class());
  const bool was_disputed = item.votes.disputed();
  if (item.votes.add(std::move(vote)) != ItemVotes::Added::kNew) return;
  if (item.votes.disputed() && !was_disputed) {
    effects.warn("item " + std::to_string(answer.item()) + ": the answer of " +
                 short_id(opened->machine) + " does not agree; another machine is asked");
  }
  settle_if_agreed(item, row_.request().redundancy());
  close_lease_if_answered(now, opened->machine);
}

void Job::settle_if_agreed(Item& item, size_t votes_enough) {
  if (item.votes_at_settling > 0) return;
  const auto agreeing = item.votes.agreeing();
  if (agreeing.empty() || agreeing.size() < votes_enough) return;
  item.votes_at_settling = agreeing.size();
  item.value = agreeing.front()->responses;
  ++settled_;
  pb::Record record;
  record.set_job(key_.job());
  record.set_run(key_.run());
  record.set_epoch(key_.epoch());
  auto* settled = record.mutable_settled();
  settled->set_item(item.requests.item());
  for (const Vote* vote : agreeing) settled->add_votes(std::string(vote->digest.view()));
  settled->mutable_responses()->Add(item.value.begin(), item.value.end());
  outbox_.add(sign_record(record, keys_), item.requests.item());
}

// Nothing of this job can run: no lease is open, nobody is preparing, nobody may take anything.
bool Job::is_stuck(Instant now) const {
  if (!line_up_ || !leases_.empty() || now < others_may_return_until_) return false;
  for (const auto& [name, machine] : machines_) {
    if (machine.unable.empty() && is_useful(name, machine)) return false;
  }
  return settled_ < items_.size();
}

void Job::fail_disputed(const Item& item, Effects& effects) {
  std::string machines;
  for (const std::string& machine : item.votes.machines()) {
    machines += (machines.empty() ? "" : ", ") + short_id(machine);
  }
  give_up({Code::kFailed, (*tasks_)[item.task].task + " item " + std::to_string(item.item->doc_id) +
                              ": the answers of " + machines +
                              " do not agree, and no further machine can vote"},
          effects);
}

// A pool too small does not hang: what has agreeing votes settles on those it has.
void Job::settle_what_waited(Instant now, Effects& effects) {
  if (!is_stuck(now)) {
    stuck_since_.reset();
    return;
  }
  if (!stuck_since_) stuck_since_ = now;
  const Instant due = *stuck_since_ + milliseconds(row_.request().quorum_wait_ms());
  effects.wake_by(due);
  if (now < due) return;
  stuck_since_ = now;  // What has no answer yet waits on.
  for (Item& item : items_) {
    if (item.votes_at_settling > 0) continue;
    if (item.votes.disputed()) return fail_disputed(item, effects);
    if (item.votes.size() == 0 && is_barred_everywhere(item)) {
      return give_up(
          {Code::kFailed, (*tasks_)[item.task].task + " item " + std::to_string(item.item->doc_id) +
                              " failed on every machine"},
          effects);
    }
    settle_if_agreed(item, 1);
  }
}

}  // namespace muster::roles::coordinator
