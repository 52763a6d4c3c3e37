#include <algorithm>

#include "base/hex.h"
#include "web/api/api.h"
#include "web/api/cursors.h"
#include "web/api/parameters.h"
#include "web/http/json_reply.h"
#include "web/json/job_json.h"
#include "web/json/reason_json.h"
#include "web/json/score_json.h"

namespace muster::web {
namespace {

constexpr size_t kMostText = 200, kMostModel = 300, kMostTask = 128, kIdDigits = 16;
// Reasons are numbered within a run; a run keeps so many at most.
constexpr size_t kMostReasons = 1000;

// A run as it is now: of one that goes on the last look says more than its row.
JobNow as_now(const ApiSources& sources, pb::JobRow row) {
  const auto now = sources.now();
  if (now) {
    const auto live = now->jobs.find(row.job());
    if (live != now->jobs.end() && live->second.row.run() == row.run()) return live->second;
  }
  return {.row = std::move(row)};
}

// ---- Lists.

struct JobQuery {
  std::vector<std::string> states;  // As pages have them.
  io::Archive::Filter filter;
  size_t size = 0;
  std::string list;  // Which one it is, for its cursors.

  [[nodiscard]] bool takes(const JobNow& job) const {
    return states.empty() ||
           std::find(states.begin(), states.end(), job_state(job.row)) != states.end();
  }
};

void read_states(Parameters& parameters, JobQuery& query) {
  query.states = parameters.list("state", 5);
  for (const std::string& state : query.states) {
    if (state == "waiting" || state == "running") {
      query.filter.states.emplace_back("running");
    } else if (state == "done" || state == "failed" || state == "cancelled") {
      query.filter.states.push_back(state);
    } else {
      parameters.refuse("state", "no job is called that: " + state);
    }
  }
}

JobQuery read_query(Parameters& parameters) {
  JobQuery query;
  read_states(parameters, query);
  query.filter.model = parameters.text("model", kMostModel).value_or("");
  query.filter.task = parameters.text("task", kMostTask).value_or("");
  query.filter.text = parameters.text("q", kMostText).value_or("");
  query.size = static_cast<size_t>(page_size(parameters));
  query.list = "jobs";
  for (const std::string& state : query.states) query.list += " " + state;
  query.list += "\n" + query.filter.model + "\n" + query.filter.task + "\n" + query.filter.text;
  return query;
}

tl::expected<std::optional<io::Archive::Place>, Problem> read_place(
    const Cursors& cursors, const JobQuery& query, const std::optional<std::string>& cursor) {
  if (!cursor) return std::nullopt;
  MUSTER_ANSWER(const Json place, cursors.read(query.list, *cursor, Json::array({0, "", 0})));
  return io::Archive::Place{place.at(0).get<int64_t>(), place.at(1).get<std::string>(),
                            place.at(2).get<uint64_t>()};
}

// Rows until the page is full: what waits and what runs are one state to the database.
tl::expected<Json, Problem> page_of(const ApiSources& sources, const JobQuery& query,
                                    std::optional<io::Archive::Place> place,
                                    const Cursors& cursors) {
  Json page{{"items", Json::array()}, {"next", nullptr}};
  while (true) {
    MUSTER_ANSWER(auto rows, sources.archive.runs(query.filter, place, query.size + 1));
    const bool is_last = rows.size() <= query.size;
    for (pb::JobRow& row : rows) {
      if (page["items"].size() == query.size) {
        page["next"] =
            cursors.make(query.list, Json::array({place->ms, place->job, place->number}));
        return page;
      }
      place = io::Archive::Place{row.accepted_at_ms(), row.job(), row.run()};
      const JobNow job = as_now(sources, std::move(row));
      if (query.takes(job)) page["items"].push_back(job_json(job));
    }
    if (is_last) return page;
  }
}

Answer list_jobs(const ApiSources& sources, const Request& request) {
  Parameters parameters(
      request, {"state", "mine", "model", "task", "shares", "machine", "q", "limit", "cursor"});
  const JobQuery query = read_query(parameters);
  const auto cursor = parameters.text("cursor", kMostCursor);
  const bool mine = parameters.flag("mine");
  for (const char* name : {"shares", "machine"}) {
    if (parameters.text(name, kMostText)) parameters.refuse(name, "is not kept yet");
  }
  MUSTER_ANSWER_CHECK(parameters);
  if (mine) return problem(ProblemKind::kSignIn, "this needs an account");
  MUSTER_ANSWER(const auto pool, sources.archive.pool());
  const Cursors cursors(pool.pool());
  MUSTER_ANSWER(const auto place, read_place(cursors, query, cursor));
  MUSTER_ANSWER(const Json page, page_of(sources, query, place, cursors));
  return json_reply(page);
}

// ---- One run.

tl::expected<std::optional<uint32_t>, Problem> run_number(const Captured& captured) {
  const auto run = captured.find("run");
  if (run == captured.end()) return std::nullopt;
  const std::string& text = run->second;
  const bool is_number = !text.empty() && text.size() <= 9 && text.front() != '0' &&
                         std::all_of(text.begin(), text.end(),
                                     [](char digit) { return digit >= '0' && digit <= '9'; });
  if (!is_number) return problem(ProblemKind::kNotFound, "'" + text + "' is no run: 1, 2, ...");
  return static_cast<uint32_t>(std::stoul(text));
}

tl::expected<JobNow, Problem> find_run(const ApiSources& sources, const Captured& captured) {
  const std::string& job = captured.at("job");
  if (!is_hex(job, kIdDigits)) {
    return problem(ProblemKind::kNotFound, "'" + job + "' is no job: an id has 16 hex digits");
  }
  MUSTER_ANSWER(const auto number, run_number(captured));
  MUSTER_ANSWER(auto row, sources.archive.run(job, number));
  if (row) return as_now(sources, std::move(*row));
  const std::string which = number ? "run " + std::to_string(*number) + " of job '" : "job '";
  return problem(ProblemKind::kNotFound, "no " + which + job + "' is in this pool");
}

// Where the run's values stand on the board, if they are the model's there.
void add_ranks(Board& board, const pb::JobRow& row, Json& job) {
  for (Json& task : job["task_details"]) {
    for (Json& score : task["scores"]) {
      const ColumnKey column{score["task"], score["metric"], score["shots"]};
      score["rank"] = rank_json(board.rank(column, row), board.ranked(column));
    }
  }
}

Answer tell_run(const ApiSources& sources, const Request& request, const Captured& captured) {
  const Parameters parameters(request, {});
  MUSTER_ANSWER_CHECK(parameters);
  const std::string event = sources.events.last();
  MUSTER_ANSWER(const JobNow job, find_run(sources, captured));
  MUSTER_ANSWER(const auto runs, sources.archive.runs_of(job.row.job()));
  MUSTER_ANSWER(const auto reasons,
                sources.archive.reasons(job.row.job(), job.row.run(), INT64_MAX, kMostReasons));
  Json json = job_detail_json(job, runs, static_cast<int64_t>(reasons.size()), event);
  sources.board.with([&](Board& board) { add_ranks(board, job.row, json); });
  Reply reply = json_reply(json);
  if (captured.contains("run")) set_tag(request, reply);
  return reply;
}

Answer list_reasons(const ApiSources& sources, const Request& request, const Captured& captured) {
  Parameters parameters(request, {"limit", "cursor"});
  const auto size = static_cast<size_t>(page_size(parameters));
  const auto cursor = parameters.text("cursor", kMostCursor);
  MUSTER_ANSWER_CHECK(parameters);
  MUSTER_ANSWER(const JobNow job, find_run(sources, captured));
  MUSTER_ANSWER(const auto pool, sources.archive.pool());
  const Cursors cursors(pool.pool());
  const std::string list = "reasons " + job.row.job() + "." + std::to_string(job.row.run());
  int64_t before = INT64_MAX;
  if (cursor) {
    MUSTER_ANSWER(const Json place, cursors.read(list, *cursor, 0));
    before = place.get<int64_t>();
  }
  MUSTER_ANSWER(const auto reasons,
                sources.archive.reasons(job.row.job(), job.row.run(), before, size + 1));
  Json page{{"items", Json::array()}, {"next", nullptr}};
  for (const pb::Reason& reason : reasons) {
    if (page["items"].size() == size) {
      page["next"] = cursors.make(list, page["items"].back()["number"]);
      break;
    }
    page["items"].push_back(reason_json(reason));
  }
  return json_reply(page);
}

}  // namespace

void add_job_routes(Routes& routes, const ApiSources& sources) {
  routes.add("GET", "/jobs",
             [=](const Request& request, const Captured&) { return list_jobs(sources, request); });
  for (const char* path : {"/jobs/{job}", "/jobs/{job}/runs/{run}"}) {
    routes.add("GET", path, [=](const Request& request, const Captured& captured) {
      return tell_run(sources, request, captured);
    });
  }
  routes.add("GET", "/jobs/{job}/runs/{run}/reasons",
             [=](const Request& request, const Captured& captured) {
               return list_reasons(sources, request, captured);
             });
}

}  // namespace muster::web
