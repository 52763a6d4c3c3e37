#include "web/live/pool_history.h"

#include <algorithm>

namespace muster::web {
namespace {

MachineState state_of(const pb::Machine& machine, bool stores) {
  if (machine.state() == "removed") return MachineState::kRemoved;
  if (machine.state() == "away") return MachineState::kAway;
  if (machine.quarantined()) return MachineState::kQuarantined;
  if (machine.role_flag() == pb::ROLE_FLAG_COORDINATOR) return MachineState::kCoordinating;
  if (!machine.job().empty()) return MachineState::kComputing;
  return stores ? MachineState::kStoring : MachineState::kIdle;
}

bool is_gone(const MachineNow& machine) {
  return machine.state == MachineState::kAway || machine.state == MachineState::kRemoved;
}

bool tells_more(const pb::JobRow& now, const pb::JobRow& before) {
  return now.run() != before.run() || now.settled_items() != before.settled_items() ||
         now.total_items() != before.total_items() || now.reason() != before.reason() ||
         now.coordinator() != before.coordinator();
}

}  // namespace

PoolHistory::Changes PoolHistory::note(int64_t now_ms, const pb::PoolStatus& status) {
  now_.at_ms = std::max(now_ms, now_.at_ms);
  now_.pool = status.pool();
  now_.version = status.version();
  now_.view = status.view();
  now_.copies_wanted = status.copies_wanted();
  Changes changes;
  note_machines(status, changes);
  note_jobs(status, changes);
  note_rates();
  return changes;
}

bool PoolHistory::stores(const std::string& machine) const {
  return std::any_of(now_.view.members().begin(), now_.view.members().end(),
                     [&](const pb::Member& member) { return member.machine() == machine; });
}

void PoolHistory::note_machines(const pb::PoolStatus& status, Changes& changes) {
  std::map<std::string, const pb::Machine*> there;
  for (const pb::Machine& machine : status.machines()) there[machine.machine()] = &machine;
  for (const auto& [id, machine] : there) note_machine(*machine, changes);
  for (auto& [id, known] : now_.machines) {
    if (there.contains(id) || is_gone(known)) continue;
    known.machine.set_state("away");
    known.machine.clear_job();
    known.machine.clear_leaving();
    known.state = MachineState::kAway;
    known.since_ms = now_.at_ms;
    changes.machines.push_back(id);
  }
  forget_some();
}

void PoolHistory::note_machine(const pb::Machine& machine, Changes& changes) {
  const auto [at, is_new] = now_.machines.try_emplace(machine.machine());
  MachineNow& known = at->second;
  if (is_new) known.number = next_number_++;
  if (is_new) known.first_ms = now_.at_ms;
  const MachineState state = state_of(machine, stores(machine.machine()));
  const bool is_other = is_new || known.state != state;
  if (is_other) known.since_ms = now_.at_ms;
  if (is_other || known.machine.state() != machine.state() ||
      known.machine.reason() != machine.reason() || known.machine.job() != machine.job()) {
    changes.machines.push_back(machine.machine());
  }
  known.state = state;
  known.machine = machine;
}

void PoolHistory::forget_some() {
  std::vector<std::pair<int64_t, std::string>> gone;
  for (const auto& [id, machine] : now_.machines) {
    if (is_gone(machine)) gone.emplace_back(machine.since_ms, id);
  }
  if (gone.size() <= kMostGone) return;
  std::sort(gone.begin(), gone.end());
  gone.resize(gone.size() - kMostGone);
  for (const auto& [since, id] : gone) now_.machines.erase(id);
}

void PoolHistory::note_jobs(const pb::PoolStatus& status, Changes& changes) {
  std::map<std::string, JobNow> before = std::exchange(now_.jobs, {});
  for (const pb::JobRow& row : status.jobs()) {
    const auto known = before.find(row.job());
    if (known == before.end() || tells_more(row, known->second.row)) {
      changes.jobs.push_back(row.job());
    }
    count(row.job(), row);
    now_.jobs[row.job()].row = row;
  }
  for (const auto& [id, machine] : now_.machines) {
    const auto job = now_.jobs.find(machine.machine.job());
    if (job != now_.jobs.end()) ++job->second.machines;
  }
  for (const auto& [id, job] : before) {
    if (!now_.jobs.contains(id)) changes.over.push_back(id);
  }
  std::sort(changes.jobs.begin(), changes.jobs.end());
}

void PoolHistory::note_end(const pb::JobRow& row) {
  count(row.job(), row);
  counted_.erase(row.job());
}

// What was settled before the first look at a run is nobody's news.
void PoolHistory::count(const std::string& job, const pb::JobRow& row) {
  const auto [at, is_new] = counted_.try_emplace(job);
  Counted& counted = at->second;
  if (is_new || counted.run != row.run()) counted = {row.run(), row.settled_items(), {}};
  settled_ += std::max<int64_t>(0, row.settled_items() - counted.items);
  counted.items = std::max(counted.items, row.settled_items());
  counted.marks.push_back({now_.at_ms, counted.items});
}

void PoolHistory::note_rates() {
  const int64_t now = now_.at_ms;
  const auto is_old = [&](const Mark& mark, int64_t age_ms) { return mark.ms < now - age_ms; };
  marks_.push_back({now, settled_});
  while (is_old(marks_.front(), PoolNow::kRatesMs + PoolNow::kRateEveryMs)) marks_.pop_front();
  now_.items_per_s = rate(marks_, now - PoolNow::kRateMs, now);
  now_.rates.clear();
  for (int64_t from = now - PoolNow::kRatesMs; from < now; from += PoolNow::kRateEveryMs) {
    if (from >= marks_.front().ms) {
      now_.rates.push_back(rate(marks_, from, from + PoolNow::kRateEveryMs));
    }
  }
  for (auto& [id, job] : now_.jobs) {
    auto& marks = counted_[id].marks;
    while (is_old(marks.front(), PoolNow::kRateMs)) marks.pop_front();
    job.items_per_s = rate(marks, now - PoolNow::kRateMs, now);
  }
}

// Items a second between two moments, or as much of the time between as is known.
double PoolHistory::rate(const std::deque<Mark>& marks, int64_t from_ms, int64_t until_ms) {
  const auto at = [&](int64_t ms) {
    auto mark = std::upper_bound(marks.begin(), marks.end(), ms,
                                 [](int64_t when, const Mark& one) { return when < one.ms; });
    return mark == marks.begin() ? *mark : *std::prev(mark);
  };
  const Mark first = at(from_ms), last = at(until_ms);
  const int64_t passed = std::max(until_ms - std::max(from_ms, marks.front().ms), int64_t{1});
  return static_cast<double>(last.items - first.items) * 1000.0 / static_cast<double>(passed);
}

}  // namespace muster::web
