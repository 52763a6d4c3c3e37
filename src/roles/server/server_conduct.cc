// How nodes behave: what had to be refused, which stores do not do their duty.
#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {

// Seen by this server itself, on the node's own line.
void Server::on_misspoken(Instant now, const Misspoken& said, Effects& effects) {
  if (!nodes_.contains(said.machine)) return;
  standings_.note_refusal(now, said.machine, said.what, said.times, effects);
  if (nodes_.coordinators().contains(said.machine)) return;
  if (standings_.is_too_much(now, said.machine, said.times)) {
    banish(now, said.machine, said.what, effects);
  }
}

// Its line is cut, and it is lent no more, nor does it store, until it is pardoned.
void Server::banish(Instant now, const std::string& machine, const std::string& what,
                    Effects& effects) {
  standings_.banish(machine, what, effects);
  pb::Envelope refusal = envelope_to(address(pb::ROLE_UNSPECIFIED, machine));
  refusal.mutable_refused()->set_reason(
      "ten messages in a minute that had to be refused, the last: " + what);
  effects.send.push_back({std::move(refusal)});
  on_left(now, machine, "it said what it may not: " + what, effects);
}

// What others say they had to refuse is told to whoever asks, and held against nobody.
void Server::on_refusals(Instant now, const std::string& from, const pb::Refusals& refusals,
                         Effects& effects) {
  for (const pb::Refusal& refusal : refusals.refusals()) {
    if (!nodes_.contains(refusal.machine())) continue;
    standings_.note_refusal(now, refusal.machine(), refusal.what() + ", says " + short_id(from),
                            refusal.times(), effects);
  }
}

void Server::on_silent_store(Instant now, const std::string& from, const pb::SilentStore& silent,
                             Effects& effects) {
  const Job* job = jobs_.current(silent.key(), from);
  if (job == nullptr || !view_.contains(silent.machine())) return;
  if (!standings_.is_out(now, silent.machine())) {
    note_event(now, job->row, silent.machine(), "as a storage node it " + silent.what(), effects);
  }
  standings_.note_lapse(now, silent.machine(), silent.what(), effects);
}

// One that can be written again is taken again; if it cannot once more, after a while, and longer
// each time: every change of the view costs everybody something.
void Server::on_store_state(Instant now, const std::string& machine, const pb::StoreState& state,
                            Effects& effects) {
  if (!nodes_.note_store(machine, state)) return;
  nodes_.mark_stale(machine);
  if (!state.problem().empty()) {
    effects.warn("machine " + short_id(machine) + " cannot store: " + state.problem());
    standings_.note_store_problem(now, machine, state.problem());
  }
}

// A store has a seal of a higher epoch than the row, or the coordinator had the run under this one
// before: this database is older than what was done. Epochs go on above it.
void Server::on_overtaken(Instant now, const std::string& from, const pb::Overtaken& overtaken,
                          Effects& effects) {
  const Job* job = jobs_.current(overtaken.key(), from);
  constexpr uint64_t kHighest = uint64_t{1} << 62;
  const uint64_t epoch = overtaken.epoch();
  const bool news = job != nullptr && !job->is_writing && !is_over(job->row.state()) &&
                    epoch >= job->row.epoch() && epoch < kHighest;
  if (!news) return;
  MUSTER_PROBE("a restored server goes on above the epochs that stores know");
  note_event(now, job->row, from, "an assignment that this database does not know was there before",
             effects);
  assign_to(now, *job, from, epoch + 1, effects);
}

}  // namespace muster::roles::server
