// What becomes of a machine's standing: charged, quarantined, pardoned.
#include "roles/message.h"
#include "roles/server/server.h"

namespace muster::roles::server {

void Server::on_report_charge(Instant now, const std::string& from, const pb::ReportCharge& report,
                              Effects& effects) {
  const pb::Charge& charge = report.charge();
  const Job* job = jobs_.current(report.key(), from);
  if (job == nullptr || charge.machine().empty()) return;
  if (standings_.is_news(charge)) {
    note_event(now, job->row, charge.machine(), "outvoted: " + charge.difference(), effects);
  }
  standings_.add_charge(from, report, effects);
}

bool Server::on_machine_stored(Instant now, const Stored& stored, Effects& effects) {
  const auto settled = standings_.settle(stored, effects);
  if (!settled) return false;
  if (settled->is_quarantined) on_quarantine(now, settled->machine, effects);
  if (settled->is_pardoned) {
    for (const std::string& id : jobs_.live()) loans_.tell_soon(id);
  }
  for (const auto& [from, report] : settled->waited) on_report_charge(now, from, report, effects);
  return true;
}

// Whoever it is lent to loses it, and no vote of it counts on what is open.
void Server::on_quarantine(Instant now, const std::string& machine, Effects& effects) {
  const std::string holder = loans_.take_back(machine);
  for (const std::string& id : jobs_.live()) {
    const pb::JobRow& row = jobs_.at(id).row;
    if (id == holder) note_event(now, row, machine, "quarantined", effects);
    send_lend(now, row, effects);
  }
  if (nodes_.contains(machine)) nodes_.mark_stale(machine);
}

}  // namespace muster::roles::server
