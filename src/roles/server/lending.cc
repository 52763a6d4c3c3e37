#include "roles/server/lending.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "roles/server/fair_share.h"
#include "roles/server/leaving.h"
#include "wire/authority.h"
#include "wire/owner.h"
#include "wire/run_key.h"

namespace muster::roles::server {
namespace {

constexpr size_t kMostQuarantined = 8192;  // Named in one message.
constexpr int kMostOwners = 64;            // The same: more are as good as these.

// Whether the job could use this machine, if it were free.
bool may_take(const Situation& pool, const std::string& job, const std::string& machine,
              const Nodes::Node& node) {
  return may_compute(pool, machine, node) && pool.loans.is_known(machine) &&
         !pool.loans.has_released(job, machine) && !is_leaving(pool.nodes, pool.standings, machine);
}

// Machines that could be lent to this job now, the first one first.
std::deque<std::string> free_machines(const Situation& pool, const pb::JobRow& job,
                                      bool with_stores) {
  std::vector<std::pair<uint64_t, std::string>> free, storing;
  size_t others = 0;
  for (const auto& [machine, node] : pool.nodes.all()) {
    if (!may_take(pool, job.job(), machine, node)) continue;
    const bool stores = pool.view.contains(machine);
    others += stores ? 0 : 1;
    if (!pool.loans.job_of(machine).empty() || machine == pool.view.retiring()) continue;
    (stores ? storing : free).emplace_back(node.order, machine);
  }
  std::sort(free.begin(), free.end());
  std::sort(storing.begin(), storing.end());
  if (others < job.request().redundancy() && with_stores) {
    free.insert(free.end(), storing.begin(), storing.end());
  }
  std::deque<std::string> names;
  for (auto& [order, machine] : free) names.push_back(std::move(machine));
  return names;
}

// A job that wants more than it has.
struct Wish {
  size_t lent = 0, wants = 0;
  std::deque<std::string> free;
};

std::map<std::string, Wish> all_wishes(const Situation& pool, bool with_stores) {
  std::map<std::string, Wish> wishes;
  for (const std::string& id : pool.jobs.live()) {
    const pb::JobRow& row = pool.jobs.at(id).row;
    const size_t lent = pool.loans.lent(id).size(), wants = pool.loans.wants(id);
    if (row.coordinator().empty() || wants <= lent) continue;
    wishes[id] = {lent, wants, free_machines(pool, row, with_stores)};
  }
  return wishes;
}

}  // namespace

bool may_change_lending(const Event& event) {
  const auto* received = std::get_if<Received>(&event);
  if (received == nullptr) return !std::holds_alternative<Tick>(event);
  const auto body = received->envelope.body_case();
  return body != pb::Envelope::kHeartbeat && body != pb::Envelope::kPoolStateSeen &&
         body != pb::Envelope::kJobProgress && body != pb::Envelope::kWantWorkers;
}

bool may_compute(const Situation& pool, const std::string& machine, const Nodes::Node& node) {
  return may_speak_as(pb::ROLE_WORKER, node.hello.role_flag()) &&
         !pool.standings.is_quarantined(machine);
}

std::vector<NextLoan> next_loans(const Situation& pool, bool with_stores) {
  auto wishes = all_wishes(pool, with_stores);
  auto have = lent_by_researcher(pool);
  const auto is_needier = [&](const auto& a, const auto& b) {
    const size_t of_a = have[pool.jobs.at(a.first).row.researcher()],
                 of_b = have[pool.jobs.at(b.first).row.researcher()];
    return std::tie(of_a, a.second.lent) < std::tie(of_b, b.second.lent);
  };
  std::vector<NextLoan> loans;
  std::set<std::string> taken;
  while (true) {
    auto neediest = wishes.end();
    for (auto it = wishes.begin(); it != wishes.end(); ++it) {
      Wish& wish = it->second;
      while (!wish.free.empty() && taken.contains(wish.free.front())) wish.free.pop_front();
      if (wish.free.empty() || wish.wants <= wish.lent) continue;
      if (neediest == wishes.end() || is_needier(*it, *neediest)) neediest = it;
    }
    if (neediest == wishes.end()) return loans;
    loans.push_back({neediest->second.free.front(), neediest->first});
    taken.insert(loans.back().machine);
    ++neediest->second.lent;
    ++have[pool.jobs.at(neediest->first).row.researcher()];
  }
}

pb::Lend lend_message(const Situation& pool, const pb::JobRow& job) {
  pb::Lend lend;
  *lend.mutable_key() = key_of(job);
  const auto& lent = pool.loans.lent(job.job());
  for (const std::string& machine : lent) {
    auto* loan = lend.add_loans();
    loan->set_machine(machine);
    loan->set_owner(owner_of(machine, pool.nodes.find(machine)->hello.owner()));
    loan->set_agreed(pool.standings.agreed(machine));
  }
  for (std::string& machine : pool.standings.quarantined(kMostQuarantined)) {
    lend.add_quarantined(std::move(machine));
  }
  uint32_t elsewhere = 0;
  std::set<std::string> owners, others;
  for (const auto& [machine, node] : pool.nodes.all()) {
    const std::string& working_for = pool.loans.job_of(machine);
    const bool works_elsewhere = !working_for.empty() && working_for != job.job();
    const std::string owner = owner_of(machine, node.hello.owner());
    const bool is_of_use = may_take(pool, job.job(), machine, node);
    elsewhere += works_elsewhere && is_of_use ? 1 : 0;
    if (may_compute(pool, machine, node)) owners.insert(owner);
    if (!lent.contains(machine) && is_of_use) others.insert(owner);
  }
  for (const std::string& owner : others) {
    if (lend.other_owners_size() < kMostOwners) lend.add_other_owners(owner);
  }
  lend.set_many_owners(owners.size() > 1);
  lend.set_elsewhere(elsewhere);
  std::set<std::string> retiring = pool.loans.recalled(job.job());
  if (lent.contains(pool.view.retiring())) retiring.insert(pool.view.retiring());
  for (const std::string& machine : lent) {
    if (is_leaving(pool.nodes, pool.standings, machine)) retiring.insert(machine);
  }
  for (const std::string& machine : retiring) lend.add_retiring(machine);
  return lend;
}

}  // namespace muster::roles::server
