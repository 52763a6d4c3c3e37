#include "roles/server/standings.h"

#include <algorithm>

#include "base/check.h"
#include "base/probe.h"
#include "roles/server/client_replies.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/short_id.h"

namespace muster::roles::server {
namespace {

constexpr Duration kNoteEvery = seconds(10);  // A machine's refusals, in the database.
constexpr Duration kLapse = seconds(60);      // Out of the view; doubled by each further one.
constexpr Duration kProblemWait = seconds(30);
constexpr int kMostDoublings = 6;
constexpr int kMostChargesShown = 5;

bool has_charge(const pb::MachineRow& row, const pb::Charge& charge) {
  return std::any_of(row.charges().begin(), row.charges().end(), [&](const pb::Charge& known) {
    return known.job() == charge.job() && known.run() == charge.run() &&
           known.item() == charge.item();
  });
}

pb::Envelope charge_noted(const std::string& coordinator, const pb::ReportCharge& report) {
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, coordinator));
  *answer.mutable_charge_noted()->mutable_key() = report.key();
  answer.mutable_charge_noted()->set_item(report.charge().item());
  answer.mutable_charge_noted()->set_machine(report.charge().machine());
  return answer;
}

}  // namespace

void Standings::restore(pb::MachineRow row) {
  Standing& standing = standings_[row.machine()];
  standing.refused = row.refused();
  standing.refusal = row.refusal();
  standing.banished = row.misbehaved();
  note_row(row);
  standing.row = std::move(row);
}

Standings::Standing& Standings::standing_of(const std::string& machine) {
  Standing& standing = standings_[machine];
  standing.row.set_machine(machine);
  return standing;
}

const Standings::Standing* Standings::find(const std::string& machine) const {
  const auto found = standings_.find(machine);
  return found == standings_.end() ? nullptr : &found->second;
}

void Standings::note_refusal(Instant now, const std::string& machine, const std::string& what,
                             uint32_t times, Effects& effects) {
  Standing& standing = standing_of(machine);
  if (standing.refused == 0 || standing.refusal != what) {
    effects.warn("refused of machine " + short_id(machine) + ": " + what, {.machine = machine});
  }
  standing.refused += times;
  standing.refusal = what;
  if (standing.write || standing.note_due > now) return;
  standing.note_due = now + kNoteEvery;
  pb::MachineRow row = standing.row;
  row.set_refused(standing.refused);
  row.set_refusal(standing.refusal);
  write(standing, std::move(row), effects);
}

bool Standings::is_too_much(Instant now, const std::string& machine, uint32_t times) {
  auto& seen = standing_of(machine).refused_at;
  for (uint32_t i = 0; i < std::min<uint32_t>(times, kMostRefusals); ++i) seen.push_back(now);
  while (!seen.empty() && (seen.front() + kRefusalWindow < now || seen.size() > kMostRefusals)) {
    seen.pop_front();
  }
  if (seen.size() < kMostRefusals) return false;
  MUSTER_PROBE("a machine that says what it may not loses its line");
  seen.clear();
  return true;
}

void Standings::banish(const std::string& machine, const std::string& what, Effects& effects) {
  Standing& standing = standing_of(machine);
  standing.banished = true;
  standing.refusal = what;
  to_banish_.insert(machine);
  if (!standing.write) write_banished(standing, effects);
}

void Standings::write_banished(Standing& standing, Effects& effects) {
  pb::MachineRow row = standing.row;
  row.set_misbehaved(true);
  row.set_quarantined(true);
  row.set_refused(standing.refused);
  row.set_refusal(standing.refusal);
  write(standing, std::move(row), effects);
}

void Standings::keep(Instant now, Effects& effects) {
  if (to_banish_.empty()) return;
  if (banish_due_ > now) return effects.wake_by(banish_due_);
  for (const std::string& machine : to_banish_) {
    Standing& standing = standings_.at(machine);
    if (!standing.write) write_banished(standing, effects);
  }
}

void Standings::note_lapse(Instant now, const std::string& machine, const std::string& what,
                           Effects& effects) {
  Standing& standing = standing_of(machine);
  if (now < standing.lapsed_until) return;
  MUSTER_PROBE("a store that does not do its duty leaves the view");
  const int doublings = std::min(standing.lapses++, kMostDoublings);
  standing.lapsed_until = now + kLapse * (1 << doublings);
  standing.lapse = what;
  effects.warn("storage node " + short_id(machine) + " " + what + "; it leaves the view",
               {.machine = machine});
}

void Standings::note_store_problem(Instant now, const std::string& machine,
                                   const std::string& problem) {
  Standing& standing = standing_of(machine);
  const int before = std::min(standing.store_problems++, kMostDoublings);
  if (before > 0) standing.lapsed_until = now + kProblemWait * (1 << before);
  standing.lapse = "cannot store: " + problem;
}

void Standings::end_lapse(Instant now, const std::string& machine) {
  standing_of(machine).lapsed_until = now;
}

bool Standings::is_news(const pb::Charge& charge) const {
  const Standing* standing = find(charge.machine());
  return standing == nullptr || (!standing->write && !has_charge(standing->row, charge));
}

// A strike is a charge that came before the one before it was made good by many agreeing items;
// one now and then is no reason to lose a machine.
void Standings::add_charge(const std::string& from, const pb::ReportCharge& report,
                           Effects& effects) {
  const pb::Charge& charge = report.charge();
  Standing& standing = standing_of(charge.machine());
  if (standing.write) {
    if (standing.waiting.size() < kMostWaiting) standing.waiting.emplace_back(from, report);
    return;
  }
  pb::Envelope answer = charge_noted(from, report);
  if (has_charge(standing.row, charge)) return effects.send.push_back({std::move(answer)});
  pb::MachineRow row = standing.row;
  auto* charges = row.mutable_charges();
  if (charges->size() >= kMostCharges) charges->DeleteSubrange(0, 1);
  *charges->Add() = charge;
  row.set_agreed(0);
  row.set_strikes(charge.agreed() >= kForgivenBy ? 1 : row.strikes() + 1);
  row.set_quarantined(row.quarantined() ||
                      (quarantine_after_ > 0 && row.strikes() >= quarantine_after_));
  standing.replies.push_back({std::move(answer), {}});
  effects.warn("machine " + short_id(charge.machine()) + " was outvoted: " + charge.difference(),
               {.job = charge.job(), .machine = charge.machine()});
  write(standing, std::move(row), effects);
}

void Standings::add_tallies(const std::vector<pb::Tally>& tallies, Effects& effects) {
  for (const pb::Tally& tally : tallies) {
    Standing& standing = standing_of(tally.machine());
    if (standing.write) continue;
    pb::MachineRow row = standing.row;
    row.set_agreed(tally.agreed() + (tally.charged() ? 0 : row.agreed()));
    write(standing, std::move(row), effects);
  }
}

void Standings::pardon(const std::string& client, const pb::Pardon& pardon, Effects& effects) {
  pb::Envelope reply = to_client(client);
  auto refuse = [&](Code code, const std::string& why) {
    *reply.mutable_pardon_reply()->mutable_failure() = to_failure({code, why});
    effects.send.push_back({std::move(reply)});
  };
  const auto matching = named(pardon.machine());
  if (matching.empty()) {
    return refuse(Code::kNotFound, "nothing is held against a machine '" + pardon.machine() + "'");
  }
  if (matching.size() > 1) {
    return refuse(Code::kInvalidArgument, "several machines begin so; say more");
  }
  Standing& standing = standings_.at(matching.front());
  if (standing.write) return refuse(Code::kTryLater, "that machine is just being noted; try again");
  pb::MachineRow row = standing.row;
  row.set_strikes(0);
  row.set_quarantined(false);
  row.clear_charges();
  row.set_misbehaved(false);
  row.set_removed_at_ms(0);
  row.set_drained_at_ms(0);
  row.set_refused(0);
  row.clear_refusal();
  pb::Envelope otherwise = to_client(client);
  *otherwise.mutable_pardon_reply()->mutable_failure() =
      to_failure({Code::kTryLater, "the database cannot be written; try again in a minute"});
  reply.mutable_pardon_reply()->set_machine(row.machine());
  standing.replies.push_back({std::move(reply), std::move(otherwise)});
  to_banish_.erase(row.machine());
  write(standing, std::move(row), effects);
}

void Standings::remove(const std::string& client, const std::string& machine, int64_t now_ms,
                       Effects& effects) {
  pb::MachineRow row = standing_of(machine).row;
  if (row.removed_at_ms() == 0) row.set_removed_at_ms(now_ms);
  ask_for(client, std::move(row), effects);
}

void Standings::drain(const std::string& client, const std::string& machine, int64_t now_ms,
                      Effects& effects) {
  pb::MachineRow row = standing_of(machine).row;
  if (row.drained_at_ms() == 0 && row.removed_at_ms() == 0) row.set_drained_at_ms(now_ms);
  ask_for(client, std::move(row), effects);
}

// Answers once the row is there, which it may be.
void Standings::ask_for(const std::string& client, pb::MachineRow row, Effects& effects) {
  Standing& standing = standing_of(row.machine());
  pb::Envelope reply = to_client(client);
  reply.mutable_remove_machine_reply()->set_machine(row.machine());
  pb::Envelope otherwise = to_client(client);
  *otherwise.mutable_remove_machine_reply()->mutable_failure() =
      to_failure({Code::kTryLater, "the database cannot be written; try again in a minute"});
  const bool is_there = row.removed_at_ms() == standing.row.removed_at_ms() &&
                        row.drained_at_ms() == standing.row.drained_at_ms();
  if (is_there) return effects.send.push_back({std::move(reply)});
  if (standing.write) return effects.send.push_back({std::move(otherwise)});
  standing.replies.push_back({std::move(reply), std::move(otherwise)});
  write(standing, std::move(row), effects);
}

void Standings::end_drain(Instant now, const std::string& machine, int64_t now_ms,
                          Effects& effects) {
  Standing& standing = standing_of(machine);
  if (standing.write) return;
  if (now < drain_due_) return effects.wake_by(drain_due_);
  pb::MachineRow row = standing.row;
  row.set_removed_at_ms(now_ms);
  write(standing, std::move(row), effects);
}

Status Standings::may_be_here(const std::string& machine) const {
  const Standing* standing = find(machine);
  if (standing == nullptr || standing->row.removed_at_ms() == 0) return {};
  return fail(Code::kPermission, "an operator has removed it; 'muster pardon " + short_id(machine) +
                                     "' lets it in again");
}

void Standings::write(Standing& standing, pb::MachineRow row, Effects& effects) {
  MUSTER_CHECK(!standing.write);
  standing.write = ids_.next();
  writes_[*standing.write] = row;
  effects.commits.push_back({*standing.write, {SaveMachine{std::move(row)}}});
}

std::optional<Standings::Settled> Standings::settle(Instant now, const Stored& stored,
                                                    Effects& effects) {
  auto written = writes_.extract(stored.id);
  if (written.empty()) return std::nullopt;
  Settled settled{.machine = written.mapped().machine()};
  Standing& standing = standings_.at(settled.machine);
  standing.write.reset();
  const auto replies = std::exchange(standing.replies, {});
  auto waiting = std::exchange(standing.waiting, {});
  if (stored.outcome != Outcome::kDone) {
    MUSTER_PROBE("a machine's standing could not be committed");
    for (const Reply& reply : replies) {
      if (reply.otherwise.has_to()) effects.send.push_back({reply.otherwise});
    }
    if (standing.banished && !standing.row.misbehaved()) {
      to_banish_.insert(settled.machine);
      banish_due_ = now + kRepeatEvery;
    }
    drain_due_ = now + kRepeatEvery;
    return settled;
  }
  const bool was = standing.row.quarantined(), was_removed = standing.row.removed_at_ms() != 0,
             was_draining = draining_.contains(settled.machine);
  standing.row = std::move(written.mapped());
  note_row(standing.row);
  settled.is_drained = draining_.contains(settled.machine) && !was_draining;
  settled.is_quarantined = standing.row.quarantined() && !was;
  settled.is_removed = standing.row.removed_at_ms() != 0 && !was_removed;
  settled.waited = std::move(waiting);
  for (const Reply& reply : replies) effects.send.push_back({reply.when_done});
  const std::string name = short_id(settled.machine);
  if (settled.is_quarantined) {
    effects.warn(
        "machine " + name + " is quarantined; 'muster pardon " + name + "' lets it in again",
        {.machine = settled.machine});
  }
  if (settled.is_drained)
    effects.note("machine " + name + " is drained", {.machine = settled.machine});
  if (settled.is_removed)
    effects.note("machine " + name + " is removed", {.machine = settled.machine});
  if (standing.row.misbehaved()) to_banish_.erase(settled.machine);
  // What was seen while another row was being written.
  const bool is_banished = to_banish_.contains(settled.machine);
  if (is_banished) write_banished(standing, effects);
  // A row may have said nothing of what is forgiven: it could not be written.
  const bool may_stay = standing.row.removed_at_ms() == 0 && standing.row.drained_at_ms() == 0;
  settled.is_pardoned = !is_banished && !standing.row.quarantined() && may_stay &&
                        (was || was_removed || was_draining || standing.banished);
  if (settled.is_pardoned) {
    forgive(standing);
    effects.note("machine " + name + " is pardoned", {.machine = settled.machine});
  }
  return settled;
}

void Standings::note_row(const pb::MachineRow& row) {
  const bool drains = row.drained_at_ms() != 0 && row.removed_at_ms() == 0;
  drains ? void(draining_.insert(row.machine())) : void(draining_.erase(row.machine()));
}

void Standings::forgive(Standing& standing) {
  standing.banished = false;
  standing.refused = 0;
  standing.refused_at.clear();
  standing.lapses = 0;
  standing.lapsed_until = {};
}

bool Standings::is_quarantined(const std::string& machine) const {
  const Standing* standing = find(machine);
  return standing != nullptr && (standing->row.quarantined() || standing->banished);
}

bool Standings::is_banished(const std::string& machine) const {
  const Standing* standing = find(machine);
  return standing != nullptr && standing->banished;
}

bool Standings::is_out(Instant now, const std::string& machine) const {
  const Standing* standing = find(machine);
  return standing != nullptr && now < standing->lapsed_until;
}

bool Standings::has_lapsed(Instant now, const std::string& machine) const {
  return is_out(now, machine) || is_banished(machine);
}

int Standings::lapses(const std::string& machine) const {
  const Standing* standing = find(machine);
  return standing == nullptr ? 0 : standing->lapses;
}

uint64_t Standings::agreed(const std::string& machine) const {
  const Standing* standing = find(machine);
  return standing == nullptr ? 0 : standing->row.agreed();
}

std::vector<std::string> Standings::quarantined(size_t most) const {
  std::vector<std::string> machines;
  for (const auto& [machine, standing] : standings_) {
    if (standing.row.quarantined() && machines.size() < most) machines.push_back(machine);
  }
  return machines;
}

std::vector<std::string> Standings::named(const std::string& prefix) const {
  std::vector<std::string> machines;
  if (prefix.empty()) return machines;
  for (auto it = standings_.lower_bound(prefix);
       it != standings_.end() && it->first.starts_with(prefix); ++it) {
    machines.push_back(it->first);
  }
  return machines;
}

std::vector<std::string> Standings::all() const {
  std::vector<std::string> machines;
  for (const auto& [machine, standing] : standings_) machines.push_back(machine);
  return machines;
}

std::string Standings::explain(const std::string& machine) const {
  const Standing* standing = find(machine);
  if (standing == nullptr) return "";
  const std::string pardon = "'muster pardon " + short_id(machine) + "' lets it in again";
  if (standing->banished) {
    return ": it said what it may not, ten times in a minute (" + standing->refusal + "); " +
           pardon;
  }
  std::string words = standing->lapses > 0 ? "; as a storage node it " + standing->lapse : "";
  if (!standing->row.quarantined()) return words;
  return words + ": it was outvoted " + std::to_string(standing->row.strikes()) + " times; " +
         pardon;
}

std::string Standings::explain_refusals(const std::string& machine) const {
  const Standing* standing = find(machine);
  if (standing == nullptr || standing->refused == 0) return "";
  return "; refused: " + std::to_string(standing->refused) +
         " messages, the last: " + standing->refusal;
}

void Standings::describe(pb::Machine& machine) const {
  const Standing* standing = find(machine.machine());
  if (standing == nullptr) return;
  const auto& charges = standing->row.charges();
  for (int i = std::max(0, charges.size() - kMostChargesShown); i < charges.size(); ++i) {
    *machine.add_charges() = charges[i];
  }
  machine.set_agreed(standing->row.agreed());
  machine.set_strikes(standing->row.strikes());
  machine.set_quarantined(standing->row.quarantined());
  machine.set_refused(standing->refused);
  if (standing->row.removed_at_ms() != 0) machine.set_state("removed");
  if (!machine.reason().empty()) return;
  if (standing->lapses > 0) machine.set_reason("as a storage node it " + standing->lapse);
  if (standing->refused > 0) machine.set_reason("refused: " + standing->refusal);
  if (!charges.empty()) machine.set_reason("outvoted: " + charges.rbegin()->difference());
}

void Standings::check() const {
  size_t writing = 0;
  for (const auto& [machine, standing] : standings_) {
    MUSTER_CHECK(standing.row.machine() == machine);
    MUSTER_CHECK(standing.write || (standing.replies.empty() && standing.waiting.empty()));
    MUSTER_CHECK(standing.waiting.size() <= kMostWaiting);
    MUSTER_CHECK(standing.refused_at.size() < kMostRefusals);
    const bool to_banish = standing.banished && !standing.row.misbehaved();
    MUSTER_CHECK(!to_banish || standing.write || to_banish_.contains(machine));
    if (!standing.write) continue;
    ++writing;
    const auto write = writes_.find(*standing.write);
    MUSTER_CHECK(write != writes_.end() && write->second.machine() == machine);
  }
  MUSTER_CHECK(writing == writes_.size());
}

}  // namespace muster::roles::server
