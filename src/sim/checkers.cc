#include "sim/checkers.h"

#include <algorithm>

#include "wire/job_state.h"

namespace muster::sim {

bool Checker::is_live(const RunKey& run) const {
  const auto& rows = world_.node("server").database.rows;
  auto row = rows.find(run.job);
  return row != rows.end() && row->second.run() == run.run && !wire::is_over(row->second.state());
}

bool Checker::is_remembered(const pb::Record& record) const {
  const auto& rows = world_.node("server").database.rows;
  const auto row = rows.find(record.job());
  return row == rows.end() || row->second.assignments().empty() ||
         record.epoch() >= row->second.assignments(0).epoch();
}

std::vector<const Node*> Checker::members() const {
  std::vector<const Node*> out;
  for (const auto& member : world_.node("server").database.view.members()) {
    const Node* node = world_.find(member.machine());
    if (node == nullptr || node->insider) continue;
    if (node->records.store_id() == member.store_id()) out.push_back(node);
  }
  return out;
}

bool Checker::is_held(const pb::View& view, const Digest& digest) const {
  const auto holds = [&](const pb::Member& store) {
    const Node* node = world_.find(store.machine());
    return node != nullptr && !node->insider && node->records.store_id() == store.store_id() &&
           node->records.holds(digest);
  };
  return std::any_of(view.members().begin(), view.members().end(), holds) ||
         std::any_of(view.joiners().begin(), view.joiners().end(), holds);
}

std::vector<std::unique_ptr<Checker>> all_checkers(World& world, Ledger& ledger, const Plan& plan) {
  AllCheckers all{world, ledger, plan, {}};
  add_checkers_of_jobs(all);
  add_checkers_of_stores(all);
  add_checkers_of_leases(all);
  add_checkers_of_items(all);
  add_checkers_of_trust(all);
  add_checkers_of_shares(all);
  return std::move(all.list);
}

}  // namespace muster::sim
