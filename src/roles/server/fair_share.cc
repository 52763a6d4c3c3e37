#include "roles/server/fair_share.h"

#include <algorithm>
#include <tuple>
#include <vector>

#include "roles/server/lending.h"

namespace muster::roles::server {
namespace {

// A researcher: what he has, and what he wants besides.
struct Share {
  size_t has = 0;
  std::map<std::string, size_t> lacks;  // By job with a coordinator: how many more it could use.
  std::set<std::string> jobs;
};

std::map<std::string, Share> shares_of(const Situation& pool) {
  std::map<std::string, Share> shares;
  for (const std::string& id : pool.jobs.live()) {
    const pb::JobRow& row = pool.jobs.at(id).row;
    Share& share = shares[row.researcher()];
    const size_t lent = pool.loans.lent(id).size(), wants = pool.loans.wants(id);
    share.has += lent;
    share.jobs.insert(id);
    if (!row.coordinator().empty() && wants > lent) share.lacks[id] = wants - lent;
  }
  return shares;
}

// Who moves, and from where to where.
struct Move {
  std::string machine, from, to;
};

// Of what `rich` has, what a job of `poor` could use: one that was chosen before, else of the job
// that has the most the one that came last. No machine: there is none.
Move find_move(const Situation& pool, const Share& rich, const Share& poor,
               const std::set<std::string>& taken) {
  Move best;
  std::tuple<bool, size_t, uint64_t> best_rank;
  for (const std::string& from : rich.jobs) {
    const auto& before = pool.loans.recalled(from);
    for (const std::string& machine : pool.loans.lent(from)) {
      if (taken.contains(machine)) continue;
      const auto to = std::find_if(poor.lacks.begin(), poor.lacks.end(), [&](const auto& entry) {
        return entry.second > 0 && !pool.loans.has_released(entry.first, machine);
      });
      if (to == poor.lacks.end()) continue;
      const std::tuple rank{before.contains(machine), pool.loans.lent(from).size(),
                            pool.nodes.find(machine)->order};
      if (!best.machine.empty() && rank <= best_rank) continue;
      best = {machine, from, to->first};
      best_rank = rank;
    }
  }
  return best;
}

}  // namespace

std::map<std::string, size_t> lent_by_researcher(const Situation& pool) {
  std::map<std::string, size_t> lent;
  for (const auto& [researcher, share] : shares_of(pool)) lent[researcher] = share.has;
  return lent;
}

std::map<std::string, std::set<std::string>> recalls(const Situation& pool) {
  std::map<std::string, std::set<std::string>> recalled;
  auto shares = shares_of(pool);
  if (shares.size() < 2) return recalled;
  std::set<std::string> taken, in_vain;
  while (true) {
    Share* poor = nullptr;
    std::string name;
    for (auto& [researcher, share] : shares) {
      const bool lacks = std::any_of(share.lacks.begin(), share.lacks.end(),
                                     [](const auto& entry) { return entry.second > 0; });
      if (!lacks || in_vain.contains(researcher)) continue;
      if (poor != nullptr && share.has >= poor->has) continue;
      poor = &share;
      name = researcher;
    }
    if (poor == nullptr) return recalled;
    Move move;
    Share* from = nullptr;
    for (auto& [researcher, share] : shares) {
      if (share.has < poor->has + 2 || (from != nullptr && share.has <= from->has)) continue;
      Move found = find_move(pool, share, *poor, taken);
      if (found.machine.empty()) continue;
      move = std::move(found);
      from = &share;
    }
    if (from == nullptr) {
      in_vain.insert(name);
      continue;
    }
    taken.insert(move.machine);
    recalled[move.from].insert(move.machine);
    --from->has;
    ++poor->has;
    --poor->lacks[move.to];
  }
}

}  // namespace muster::roles::server
