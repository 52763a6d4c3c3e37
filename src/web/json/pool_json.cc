#include "web/json/pool_json.h"

#include <algorithm>
#include <map>

#include "web/json/job_json.h"
#include "wire/role_flag.h"

namespace muster::web {
namespace {

constexpr size_t kMostVersions = 20, kMostIds = 400, kMostOnMap = 100'000;

char letter(MachineState state) {
  switch (state) {
    case MachineState::kQuarantined:
      return 'q';
    case MachineState::kCoordinating:
      return 'o';
    case MachineState::kComputing:
      return 'c';
    case MachineState::kStoring:
      return 's';
    case MachineState::kIdle:
      return 'i';
    default:
      return '-';
  }
}

bool is_here(const MachineNow& machine) {
  return machine.state != MachineState::kAway && machine.state != MachineState::kRemoved;
}

Json machine_counts(const PoolNow& now) {
  std::map<MachineState, int64_t> of;
  int64_t here = 0, leaving = 0;
  for (const auto& [id, machine] : now.machines) {
    ++of[machine.state];
    here += is_here(machine) ? 1 : 0;
    leaving += machine.machine.leaving() ? 1 : 0;
  }
  return {{"connected", here},
          {"computing", of[MachineState::kComputing]},
          {"preparing", 0},
          {"storing", of[MachineState::kStoring]},
          {"idle", of[MachineState::kIdle]},
          {"coordinating", of[MachineState::kCoordinating]},
          {"quarantined", of[MachineState::kQuarantined]},
          {"away", of[MachineState::kAway]},
          {"leaving", leaving}};
}

// Of what goes on the last look says more than the database.
Json job_counts(const PoolNow& now) {
  const auto of = [&](const char* state) {
    const auto runs = now.runs.find(state);
    return runs == now.runs.end() ? 0 : runs->second;
  };
  int64_t waiting = 0;
  for (const auto& [id, job] : now.jobs) waiting += job_state(job.row) == "waiting" ? 1 : 0;
  const int64_t live = static_cast<int64_t>(now.jobs.size());
  return {{"waiting", waiting},
          {"running", live - waiting},
          {"done", of("done")},
          {"failed", of("failed")},
          {"cancelled", of("cancelled")}};
}

Json storage_json(const PoolNow& now) {
  return {{"view", now.view.number()},
          {"copies", now.view.members_size()},
          {"copies_wanted", now.copies_wanted},
          {"joining", now.view.joiners_size()}};
}

Json versions_json(const PoolNow& now) {
  std::map<std::string, int64_t> of;
  for (const auto& [id, machine] : now.machines) {
    if (is_here(machine)) ++of[machine.machine.version()];
  }
  std::vector<std::pair<int64_t, std::string>> sorted;
  for (const auto& [version, count] : of) sorted.emplace_back(-count, version);
  std::sort(sorted.begin(), sorted.end());
  sorted.resize(std::min(sorted.size(), kMostVersions));
  Json versions = Json::array();
  for (const auto& [count, version] : sorted) {
    versions.push_back({{"version", version}, {"machines", -count}});
  }
  return versions;
}

const char* stores(const PoolNow& now, const std::string& machine) {
  const auto has = [&](const auto& members) {
    return std::any_of(members.begin(), members.end(),
                       [&](const pb::Member& member) { return member.machine() == machine; });
  };
  if (has(now.view.members())) return "yes";
  return has(now.view.joiners()) ? "joining" : "no";
}

Json job_of(const PoolNow& now, const pb::Machine& machine) {
  const auto job = now.jobs.find(machine.job());
  return job == now.jobs.end() ? Json(nullptr) : job_ref_json(job->second.row);
}

Json or_null(int64_t number) { return number > 0 ? Json(number) : Json(nullptr); }
Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

}  // namespace

std::string_view to_word(MachineState state) {
  switch (state) {
    case MachineState::kRemoved:
      return "removed";
    case MachineState::kAway:
      return "away";
    case MachineState::kQuarantined:
      return "quarantined";
    case MachineState::kCoordinating:
      return "coordinating";
    case MachineState::kComputing:
      return "computing";
    case MachineState::kStoring:
      return "storing";
    default:
      return "idle";
  }
}

Json pool_event(const PoolNow& now) {
  return {{"at_ms", now.at_ms},
          {"machines", machine_counts(now)},
          {"jobs", job_counts(now)},
          {"storage", storage_json(now)},
          {"items_per_s", now.items_per_s}};
}

Json pool_json(const PoolNow& now) {
  Json json{{"id", now.pool}, {"version", now.version}};
  json.update(pool_event(now));
  json["rates"] = {
      {"until_ms", now.at_ms}, {"every_ms", PoolNow::kRateEveryMs}, {"items_per_s", now.rates}};
  json["versions"] = versions_json(now);
  return json;
}

Json pool_map_json(const PoolNow& now, const std::string& event) {
  std::map<int64_t, const MachineNow*> by_number;
  for (const auto& [id, machine] : now.machines) by_number[machine.number] = &machine;
  const int64_t first = by_number.empty() ? 1 : by_number.begin()->first;
  std::string states;
  Json ids = Json::array();
  for (const auto& [number, machine] : by_number) {
    const auto place = static_cast<size_t>(number - first);
    if (place >= kMostOnMap) break;
    states.resize(place, '-');
    states += letter(machine->state);
    if (is_here(*machine)) ids.push_back(machine->machine.machine());
  }
  if (ids.size() > kMostIds) ids = Json::array();
  return {{"first", first}, {"states", states}, {"ids", std::move(ids)}, {"event", event}};
}

Json machine_json(const PoolNow& now, const MachineNow& known) {
  const pb::Machine& machine = known.machine;
  return {{"machine", machine.machine()},
          {"number", known.number},
          {"state", to_word(known.state)},
          {"leaving", machine.leaving()},
          {"says", machine.state()},
          {"reason", machine.reason()},
          {"since_ms", known.since_ms},
          {"job", job_of(now, machine)},
          {"items_per_s", nullptr},
          {"role", wire::to_word(machine.role_flag())},
          {"stores", stores(now, machine.machine())},
          {"class", nullptr},
          {"cores", or_null(machine.hardware().cores())},
          {"cpu", or_null(machine.hardware().cpu())},
          {"gpu", nullptr},
          {"memory_bytes", or_null(static_cast<int64_t>(machine.hardware().memory_bytes()))},
          {"version", machine.version()},
          {"agreed", machine.agreed()},
          {"strikes", machine.strikes()},
          {"refused", machine.refused()},
          {"first_seen_ms", nullptr},
          {"last_seen_ms", is_here(known) ? Json(now.at_ms) : Json(nullptr)},
          {"quarantined_at_ms", nullptr},
          {"mine", false}};
}

Json machine_event(const PoolNow& now, const MachineNow& known) {
  return {{"machine", known.machine.machine()},
          {"number", known.number},
          {"state", to_word(known.state)},
          {"says", known.machine.state()},
          {"reason", known.machine.reason()},
          {"job", job_of(now, known.machine)},
          {"items_per_s", nullptr},
          {"joined", known.first_ms == now.at_ms}};
}

}  // namespace muster::web
