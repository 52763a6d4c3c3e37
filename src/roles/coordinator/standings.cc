#include "roles/coordinator/standings.h"

#include "base/check.h"
#include "wire/envelope.h"

namespace muster::roles::coordinator {

void Standings::on_agreed(uint32_t item, const std::string& machine, bool earns_trust) {
  judged_.emplace(item, machine);
  if (earns_trust) ++standings_[machine].agreed;
}

void Standings::charge(Instant now, uint32_t item, const std::string& machine,
                       const std::string& difference) {
  judged_.emplace(item, machine);
  Standing& standing = standings_[machine];
  pb::Charge& charge = charges_[{item, machine}];
  charge.set_job(key_.job());
  charge.set_run(key_.run());
  charge.set_item(item);
  charge.set_machine(machine);
  charge.set_agreed(standing.in_a_row());
  charge.set_difference(difference);
  due_ = now;
  standing.charged = true;
  standing.agreed = 0;
}

void Standings::on_noted(const pb::ChargeNoted& noted) {
  charges_.erase({noted.item(), noted.machine()});
}

bool Standings::set_before(const std::string& machine, uint64_t agreed) {
  const bool was_trusted = is_trusted(machine);
  standings_[machine].before = agreed;
  return is_trusted(machine) != was_trusted;
}

std::vector<std::string> Standings::set_quarantined(std::set<std::string> machines) {
  std::vector<std::string> added;
  for (const std::string& machine : machines) {
    if (!quarantined_.contains(machine)) added.push_back(machine);
  }
  quarantined_ = std::move(machines);
  return added;
}

void Standings::send_due(Instant now, Effects& effects) {
  if (charges_.empty()) return;
  if (due_ <= now) {
    for (const auto& [answer, charge] : charges_) {
      pb::Envelope say = envelope_to_server();
      *say.mutable_report_charge()->mutable_key() = key_;
      *say.mutable_report_charge()->mutable_charge() = charge;
      effects.send.push_back({std::move(say)});
    }
    due_ = now + kRepeatEvery;
  }
  effects.wake_by(due_);
}

std::vector<pb::Tally> Standings::tallies(size_t most) const {
  std::vector<pb::Tally> tallies;
  for (const auto& [machine, standing] : standings_) {
    if (standing.agreed == 0 && !standing.charged) continue;
    if (tallies.size() >= most) break;
    pb::Tally& tally = tallies.emplace_back();
    tally.set_machine(machine);
    tally.set_agreed(standing.agreed);
    tally.set_charged(standing.charged);
  }
  return tallies;
}

bool Standings::is_trusted(const std::string& machine) const {
  const auto standing = standings_.find(machine);
  return standing != standings_.end() && standing->second.in_a_row() >= kTrustedAt &&
         !quarantined_.contains(machine);
}

void Standings::check() const {
  for (const auto& [answer, charge] : charges_) {
    MUSTER_CHECK(judged_.contains(answer));
    MUSTER_CHECK(standings_.at(answer.second).charged);
  }
}

}  // namespace muster::roles::coordinator
