// What is known of each machine's answers: agreed on, outvoted, quarantined, pardoned.
#include <algorithm>

#include "base/probe.h"
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {
namespace {

constexpr uint64_t kForgivenBy = 200;  // Items in a row on which it agreed with others.
constexpr int kMostCharges = 20;       // Kept of a machine.
constexpr size_t kMostWaiting = 20;    // Charges of one machine, to be written.

bool has_charge(const pb::MachineRow& row, const pb::Charge& charge) {
  return std::any_of(row.charges().begin(), row.charges().end(), [&](const pb::Charge& known) {
    return known.job() == charge.job() && known.run() == charge.run() &&
           known.item() == charge.item();
  });
}

}  // namespace

Server::Standing& Server::standing_of(const std::string& machine) {
  Standing& standing = standings_[machine];
  standing.row.set_machine(machine);
  return standing;
}

bool Server::is_quarantined(const std::string& machine) const {
  auto standing = standings_.find(machine);
  return standing != standings_.end() &&
         (standing->second.row.quarantined() || standing->second.banished);
}

// A strike is a charge that came before the one before it was made good by many agreeing items;
// one now and then is no reason to lose a machine.
void Server::on_report_charge(Instant now, const std::string& from, const pb::ReportCharge& report,
                              Effects& effects) {
  const pb::Charge& charge = report.charge();
  Job* job = current(report.key(), from);
  if (job == nullptr || charge.machine().empty()) return;
  Standing& standing = standing_of(charge.machine());
  if (standing.write) {  // What finds no room is reported again.
    if (standing.waiting.size() < kMostWaiting) standing.waiting.emplace_back(from, report);
    return;
  }
  pb::Envelope answer = envelope_to(address(pb::ROLE_COORDINATOR, from));
  *answer.mutable_charge_noted()->mutable_key() = report.key();
  answer.mutable_charge_noted()->set_item(charge.item());
  answer.mutable_charge_noted()->set_machine(charge.machine());
  if (has_charge(standing.row, charge)) return effects.send.push_back({std::move(answer)});
  pb::MachineRow row = standing.row;
  auto* charges = row.mutable_charges();
  if (charges->size() >= kMostCharges) charges->DeleteSubrange(0, 1);
  *charges->Add() = charge;
  row.set_agreed(0);
  row.set_strikes(charge.agreed() >= kForgivenBy ? 1 : row.strikes() + 1);
  const uint32_t limit = options_.quarantine_after;
  row.set_quarantined(row.quarantined() || (limit > 0 && row.strikes() >= limit));
  standing.replies.push_back(std::move(answer));
  note_event(now, *job, charge.machine(), "outvoted: " + charge.difference(), effects);
  effects.warn("machine " + short_id(charge.machine()) + " was outvoted: " + charge.difference());
  write_machine(standing, std::move(row), effects);
}

// Not precious: what is lost here, the machine earns again.
void Server::take_tallies(const std::vector<pb::Tally>& tallies, Effects& effects) {
  for (const pb::Tally& tally : tallies) {
    Standing& standing = standing_of(tally.machine());
    if (standing.write) continue;
    pb::MachineRow row = standing.row;
    row.set_agreed(tally.agreed() + (tally.charged() ? 0 : row.agreed()));
    write_machine(standing, std::move(row), effects);
  }
}

void Server::on_pardon(const std::string& client, const pb::Pardon& pardon, Effects& effects) {
  pb::Envelope reply = envelope_to(address(pb::ROLE_CLIENT, client));
  auto refuse = [&](Code code, const std::string& why) {
    *reply.mutable_pardon_reply()->mutable_failure() = to_failure({code, why});
    effects.send.push_back({std::move(reply)});
  };
  Standing* found = nullptr;
  for (auto& [machine, standing] : standings_) {
    if (pardon.machine().empty() || !machine.starts_with(pardon.machine())) continue;
    if (found != nullptr)
      return refuse(Code::kInvalidArgument, "several machines begin so; say more");
    found = &standing;
  }
  if (found == nullptr) {
    return refuse(Code::kNotFound, "nothing is held against a machine '" + pardon.machine() + "'");
  }
  if (found->write) return refuse(Code::kTryLater, "that machine is just being noted; try again");
  pb::MachineRow row = found->row;
  row.set_strikes(0);
  row.set_quarantined(false);
  row.clear_charges();
  row.set_misbehaved(false);
  row.set_refused(0);
  row.clear_refusal();
  reply.mutable_pardon_reply()->set_machine(row.machine());
  found->replies.push_back(std::move(reply));
  write_machine(*found, std::move(row), effects);
}

void Server::write_machine(Standing& standing, pb::MachineRow row, Effects& effects) {
  standing.write = write_ids_.next();
  machine_writes_[*standing.write] = row;
  effects.persist.push_back({*standing.write, SaveMachine{std::move(row)}});
}

// What could not be written is asked for again by whoever asked.
bool Server::on_machine_stored(Instant now, const Stored& stored, Effects& effects) {
  auto written = machine_writes_.extract(stored.id);
  if (written.empty()) return false;
  const std::string machine = written.mapped().machine();
  Standing& standing = standings_.at(machine);
  standing.write.reset();
  const auto replies = std::exchange(standing.replies, {});
  const auto waiting = std::exchange(standing.waiting, {});
  if (stored.outcome != Outcome::kDone) {
    MUSTER_PROBE("a machine's standing could not be committed");
    return true;
  }
  const bool was = standing.row.quarantined();
  standing.row = std::move(written.mapped());
  for (const pb::Envelope& reply : replies) effects.send.push_back({reply});
  if (standing.row.quarantined() && !was) on_quarantine(now, machine, effects);
  // What was seen while another row was being written.
  if (standing.banished && !standing.row.misbehaved() && !was) {
    pb::MachineRow row = standing.row;
    row.set_misbehaved(true);
    row.set_quarantined(true);
    write_machine(standing, std::move(row), effects);
  }
  if (was && !standing.row.quarantined()) {
    standing.banished = false;
    standing.refused = 0;
    standing.refused_at.clear();
    standing.lapses = 0;
    standing.lapsed_until = {};
    effects.note("machine " + short_id(machine) + " is pardoned");
    for (const std::string& id : live_) jobs_.at(id).lend_due = {};
  }
  for (const auto& [from, report] : waiting) on_report_charge(now, from, report, effects);
  return true;
}

// Whoever it is lent to loses it, and no vote of it counts on what is open.
void Server::on_quarantine(Instant now, const std::string& machine, Effects& effects) {
  effects.warn("machine " + short_id(machine) + " is quarantined; 'muster pardon " +
               short_id(machine) + "' lets it in again");
  for (const std::string& id : live_) {
    Job& job = jobs_.at(id);
    if (job.lent.erase(machine) > 0) note_event(now, job, machine, "quarantined", effects);
    send_lend(now, job, effects);
  }
  auto node = nodes_.find(machine);
  if (node == nodes_.end()) return;
  node->second.lent_to.clear();
  tell(machine);
}

}  // namespace muster::roles::server
