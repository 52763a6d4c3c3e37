#include <algorithm>
#include <set>

#include "base/hex.h"
#include "web/api/api.h"
#include "web/api/cursors.h"
#include "web/api/parameters.h"
#include "web/http/json_reply.h"
#include "web/json/pool_json.h"
#include "web/json/reason_json.h"

namespace muster::web {
namespace {

constexpr size_t kMostText = 200, kMostTopics = 8, kIdDigits = 16;

Answer tell_pool(const ApiSources& sources, const Request& request) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  MUSTER_ANSWER(const auto now, pool_now(sources));
  Reply reply = json_reply(pool_json(*now));
  set_tag(request, reply);
  return reply;
}

Answer tell_map(const ApiSources& sources, const Request& request) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  const std::string event = sources.events.last();  // What comes behind it changes the map.
  MUSTER_ANSWER(const auto now, pool_now(sources));
  Reply reply = json_reply(pool_map_json(*now, event));
  set_tag(request, reply);
  return reply;
}

// ---- Machines, in the order in which they came.

struct MachineFilter {
  std::set<std::string, std::less<>> states;  // Empty: all that are here.
  std::string text;

  [[nodiscard]] bool takes(const MachineNow& machine) const {
    const std::string& id = machine.machine.machine();
    if (!text.empty() && id.find(text) == std::string::npos) return false;
    const bool is_gone =
        machine.state == MachineState::kAway || machine.state == MachineState::kRemoved;
    return states.empty() ? !is_gone : states.contains(to_word(machine.state));
  }
};

std::set<std::string, std::less<>> read_states(Parameters& parameters) {
  static const std::set<std::string> known{"computing",    "preparing",   "storing", "idle",
                                           "coordinating", "quarantined", "away",    "removed"};
  std::set<std::string, std::less<>> states;
  for (const std::string& word : parameters.list("state", known.size())) {
    if (!known.contains(word)) parameters.refuse("state", "no machine is called that: " + word);
    states.insert(word);
  }
  return states;
}

Answer list_machines(const ApiSources& sources, const Request& request) {
  Parameters parameters(request, {"state", "mine", "owner", "q", "limit", "cursor"});
  const MachineFilter filter{read_states(parameters), parameters.text("q", kMostText).value_or("")};
  const auto size = static_cast<size_t>(page_size(parameters));
  const auto cursor = parameters.text("cursor", kMostCursor);
  const bool mine = parameters.flag("mine");
  const bool of_owner = parameters.text("owner", kMostText).has_value();
  MUSTER_ANSWER_CHECK(parameters);
  if (mine || of_owner) return problem(ProblemKind::kSignIn, "this needs an account");
  MUSTER_ANSWER(const auto now, pool_now(sources));
  const Cursors cursors(now->pool);
  std::string list = "machines " + filter.text;
  for (const std::string& state : filter.states) list += " " + state;
  int64_t after = 0;
  if (cursor) {
    MUSTER_ANSWER(const Json place, cursors.read(list, *cursor, 0));
    after = place.get<int64_t>();
  }
  std::map<int64_t, const MachineNow*> by_number;
  for (const auto& [id, machine] : now->machines) {
    if (machine.number > after && filter.takes(machine)) by_number[machine.number] = &machine;
  }
  Json page{{"items", Json::array()}, {"next", nullptr}};
  for (const auto& [number, machine] : by_number) {
    if (page["items"].size() == size) {
      page["next"] = cursors.make(list, page["items"].back()["number"]);
      break;
    }
    page["items"].push_back(machine_json(*now, *machine));
  }
  return json_reply(page);
}

Answer tell_machine(const ApiSources& sources, const Request& request, const Captured& captured) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  MUSTER_ANSWER(const auto now, pool_now(sources));
  const auto machine = now->machines.find(captured.at("machine"));
  if (machine == now->machines.end()) {
    return problem(ProblemKind::kNotFound,
                   "no machine is called '" + captured.at("machine") + "' here");
  }
  Json json = machine_json(*now, machine->second);
  json["charges"] = Json::array();
  json["helped_with"] = Json::array();
  return json_reply(json);
}

// What was recorded of it, whether or not it is here.
Answer list_reasons(const ApiSources& sources, const Request& request, const Captured& captured) {
  Parameters parameters(request, {"limit", "cursor"});
  const auto size = static_cast<size_t>(page_size(parameters));
  const auto cursor = parameters.text("cursor", kMostCursor);
  MUSTER_ANSWER_CHECK(parameters);
  const std::string& machine = captured.at("machine");
  if (!is_hex(machine, kIdDigits)) {
    return problem(ProblemKind::kNotFound,
                   "'" + machine + "' is no machine: an id has 16 hex digits");
  }
  MUSTER_ANSWER(const auto pool, sources.archive.pool());
  const Cursors cursors(pool.pool());
  const std::string list = "reasons about " + machine;
  std::optional<io::Archive::Place> before;
  if (cursor) {
    MUSTER_ANSWER(const Json place, cursors.read(list, *cursor, Json::array({0, "", 0})));
    before = {place.at(0).get<int64_t>(), place.at(1).get<std::string>(),
              place.at(2).get<uint64_t>()};
  }
  MUSTER_ANSWER(const auto reasons, sources.archive.reasons_about(machine, before, size + 1));
  Json page{{"items", Json::array()}, {"next", nullptr}};
  for (const pb::Reason& reason : reasons) {
    if (page["items"].size() == size) {
      page["next"] = cursors.make(list, Json::array({before->ms, before->job, before->number}));
      break;
    }
    page["items"].push_back(reason_json(reason));
    before = {reason.at_ms(), reason.job(), reason.number()};
  }
  return json_reply(page);
}

// ---- Events.

bool is_topic(const std::string& topic) {
  if (topic == "pool" || topic == "board") return true;
  for (const std::string_view kind : {"job:", "machine:"}) {
    if (topic.starts_with(kind)) return is_hex(topic.substr(kind.size()), kIdDigits);
  }
  return false;
}

Answer follow_events(const ApiSources& sources, const Request& request) {
  Parameters parameters(request, {"topics", "after"});
  const auto topics = parameters.list("topics", kMostTopics);
  for (const std::string& topic : topics) {
    if (topic == "me") return problem(ProblemKind::kSignIn, "this needs an account");
    if (!is_topic(topic)) parameters.refuse("topics", "there is no such topic: " + topic);
  }
  if (topics.empty()) parameters.refuse("topics", "say what to hear of, for example pool");
  const std::string_view again = request.field("last-event-id");
  const std::string after =
      again.empty() ? parameters.text("after", kMostText).value_or("") : std::string(again);
  MUSTER_ANSWER_CHECK(parameters);
  return Reply{.type = "text/event-stream",
               .events = sources.events.follow({topics.begin(), topics.end()}, after),
               .fields = {{"Cache-Control", "no-store"}, {"X-Accel-Buffering", "no"}}};
}

}  // namespace

void add_pool_routes(Routes& routes, const ApiSources& sources) {
  routes.add("GET", "/pool",
             [=](const Request& request, const Captured&) { return tell_pool(sources, request); });
  routes.add("GET", "/pool/map",
             [=](const Request& request, const Captured&) { return tell_map(sources, request); });
  routes.add("GET", "/machines", [=](const Request& request, const Captured&) {
    return list_machines(sources, request);
  });
  routes.add("GET", "/machines/{machine}", [=](const Request& request, const Captured& captured) {
    return tell_machine(sources, request, captured);
  });
  routes.add("GET", "/machines/{machine}/reasons",
             [=](const Request& request, const Captured& captured) {
               return list_reasons(sources, request, captured);
             });
  routes.add("GET", "/events", [=](const Request& request, const Captured&) {
    return follow_events(sources, request);
  });
}

}  // namespace muster::web
