#include <algorithm>

#include "base/digest.h"
#include "web/api/api.h"
#include "web/api/cursors.h"
#include "web/api/parameters.h"
#include "web/http/json_reply.h"
#include "web/json/board_json.h"
#include "web/json/job_json.h"
#include "web/json/score_json.h"

namespace muster::web {
namespace {

constexpr size_t kMostColumns = 8, kUsualColumns = 4, kMostText = 200, kMostExported = 100'000;
constexpr size_t kMostScores = 64, kMostJobs = 50, kMostNear = 10;
constexpr size_t kMostModelRuns = 1000;  // The latest, of a model: others count for nothing here.
constexpr int64_t kMostShots = 1000;

// What was asked for of the leaderboard, before it is known what there is.
struct Asked {
  std::vector<std::string> tasks;
  std::optional<std::string> metric, filter;
  std::optional<int64_t> shots;
  std::string text;
  bool with_partial = false, has_pin = false;
};

Asked read_asked(Parameters& parameters) {
  Asked asked{.tasks = parameters.list("task", kMostColumns),
              .metric = parameters.text("metric", kMostText),
              .filter = parameters.text("filter", kMostText),
              .shots = parameters.number("shots", 0, kMostShots),
              .text = parameters.text("q", kMostText).value_or(""),
              .with_partial = parameters.word("show", {"full", "all"}) == "all"};
  asked.has_pin = parameters.text("pin", kMostText).has_value();
  return asked;
}

tl::expected<BoardQuery, Problem> to_query(const Board& board, const Asked& asked) {
  BoardQuery query{.text = asked.text, .with_partial = asked.with_partial};
  for (const std::string& task :
       asked.tasks.empty() ? usual_tasks(board, kUsualColumns) : asked.tasks) {
    if (!is_task(board, task)) {
      return problem(ProblemKind::kNotFound, "no task is called '" + task + "' here");
    }
    query.columns.push_back(main_column(board, task));
  }
  ColumnKey& first = query.columns.front();
  if (asked.metric) first.metric = *asked.metric;
  if (asked.shots) first.shots = static_cast<int32_t>(*asked.shots);
  if (asked.filter && *asked.filter != "none") {
    return problem(ProblemKind::kNotFound, "no result has the filter '" + *asked.filter + "'");
  }
  if (asked.has_pin) {
    return problem(ProblemKind::kUnprocessable, "the answers of that run are not kept");
  }
  return query;
}

// Which list it is, to its cursors: whatever orders and picks its rows.
std::string name_of(const BoardQuery& query) {
  std::string list = query.with_partial ? "board all" : "board full";
  for (const ColumnKey& column : query.columns) {
    list += "\n" + column.task + " " + column.metric + " " + std::to_string(column.shots);
  }
  return list + "\n" + query.text;
}

Json board_json(Board& board, const BoardQuery& query, const std::vector<BoardRow>& shown,
                size_t before, size_t matching) {
  Json columns = Json::array(), items = Json::array();
  for (size_t index = 0; index < query.columns.size(); ++index) {
    columns.push_back(column_json(board, query.columns[index], shown, index));
  }
  for (const BoardRow& row : shown) {
    items.push_back(board_row_json(board, query.columns.front(), row));
  }
  return {{"revision", board.revision()},  {"columns", std::move(columns)},
          {"items", std::move(items)},     {"next", nullptr},
          {"first", before + 1},           {"matching", matching},
          {"models", board.rows().size()}, {"pinned", nullptr}};
}

Json place_of(const BoardRow& row) {
  const ModelKey& model = row.row->model;
  return Json::array({model.name, model.commit, model.dtype});
}

// Behind the row that ended the page before. That row may have moved since; one that is gone makes
// the page begin anew.
size_t begin_of_page(const std::vector<BoardRow>& rows, const std::optional<Json>& place) {
  if (!place) return 0;
  const auto last = std::find_if(rows.begin(), rows.end(),
                                 [&](const BoardRow& row) { return place_of(row) == *place; });
  return last == rows.end() ? 0 : static_cast<size_t>(last - rows.begin()) + 1;
}

// Who has this answer already, by the board's revision and by what was asked for.
std::string tag_of(const Board& board, const Request& request) {
  std::string asked;
  for (const auto& [name, value] : request.target.query) asked += name + "=" + value + "&";
  return "b" + std::to_string(board.revision()) + "-" + sha256(asked).hex().substr(0, 16);
}

Answer tell_board(const ApiSources& sources, const Request& request) {
  Parameters parameters(
      request, {"task", "metric", "filter", "shots", "q", "show", "pin", "limit", "cursor"});
  const Asked asked = read_asked(parameters);
  const auto size = static_cast<size_t>(page_size(parameters));
  const auto cursor = parameters.text("cursor", kMostCursor);
  MUSTER_ANSWER_CHECK(parameters);
  MUSTER_ANSWER(const auto pool, sources.archive.pool());
  const Cursors cursors(pool.pool());
  return sources.board.with([&](Board& board) -> Answer {
    MUSTER_ANSWER(const BoardQuery query, to_query(board, asked));
    std::optional<Json> place;
    if (cursor) {
      MUSTER_ANSWER(place, cursors.read(name_of(query), *cursor, Json::array({"", "", ""})));
    }
    const auto rows = rows_of(board, query);
    const size_t begin = begin_of_page(rows, place), end = std::min(rows.size(), begin + size);
    const std::vector<BoardRow> shown(rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                      rows.begin() + static_cast<std::ptrdiff_t>(end));
    Json json = board_json(board, query, shown, begin, rows.size());
    if (end < rows.size()) json["next"] = cursors.make(name_of(query), place_of(shown.back()));
    Reply reply = json_reply(json);
    set_tag(request, tag_of(board, request), reply);
    return reply;
  });
}

Answer export_board(const ApiSources& sources, const Request& request, bool is_csv) {
  Parameters parameters =
      is_csv ? Parameters(request, {"task", "metric", "filter", "shots", "q", "show", "pin", "bom"})
             : Parameters(request, {"task", "metric", "filter", "shots", "q", "show", "pin"});
  const Asked asked = read_asked(parameters);
  const bool has_mark = is_csv && parameters.flag("bom");
  MUSTER_ANSWER_CHECK(parameters);
  return sources.board.with([&](Board& board) -> Answer {
    MUSTER_ANSWER(const BoardQuery query, to_query(board, asked));
    if (!is_csv) {
      auto rows = rows_of(board, query);
      const size_t matching = rows.size();
      rows.resize(std::min(rows.size(), kMostExported));
      return json_reply(board_json(board, query, rows, 0, matching));
    }
    const std::string text = board_csv(board, query, kMostExported);
    return Reply{
        .type = "text/csv; charset=utf-8",
        .body = std::make_shared<const std::string>((has_mark ? "\xef\xbb\xbf" : "") + text),
        .fields = {{"Content-Disposition", "attachment; filename=\"leaderboard.csv\""},
                   {"Cache-Control", "no-cache"}}};
  });
}

// ---- Models.

struct ModelRuns {
  pb::ModelPin pin;  // Of the latest.
  int64_t runs = 0, latest_ms = 0;
};

Json model_entry(const ModelRuns& model) {
  return {{"model", model_json(model.pin)},
          {"family", nullptr},
          {"bytes", model.pin.bytes() > 0 ? Json(model.pin.bytes()) : Json(nullptr)},
          {"runs", model.runs},
          {"latest_ms", model.latest_ms > 0 ? Json(model.latest_ms) : Json(nullptr)}};
}

// Under dir/ a directory by the digest of its files, under -/ a name without an organisation.
io::Archive::Filter filter_of(const Captured& captured) {
  const std::string &organisation = captured.at("organisation"), &name = captured.at("name");
  if (organisation == "dir") return {.commit = name};
  return {.model = organisation == "-" ? name : organisation + "/" + name};
}

// Those of the board whose names have most in common with it at the beginning.
std::vector<std::string> near(const Board& board, const std::string& name) {
  std::vector<std::pair<size_t, std::string>> sorted;
  for (const auto& [model, row] : board.rows()) {
    const auto differs =
        std::mismatch(name.begin(), name.end(), model.name.begin(), model.name.end());
    sorted.emplace_back(static_cast<size_t>(differs.first - name.begin()), model.name);
  }
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  std::vector<std::string> names;
  for (const auto& [common, other] : sorted) {
    const bool is_new = std::find(names.begin(), names.end(), other) == names.end();
    if (common > 2 && is_new && names.size() < kMostNear) names.push_back(other);
  }
  return names;
}

Json scores_of(Board& board, const Board::Row& row) {
  Json scores = Json::array();
  for (const auto& [column, cell] : row.full) {
    if (scores.size() == kMostScores) break;
    const std::vector<BoardRow> alone{{.row = &row, .cells = {&cell}}};
    scores.push_back({{"column", column_json(board, column, alone, 0)},
                      {"cell", cell_json(cell)},
                      {"rank", rank_json(board.rank(column, row.model), board.ranked(column))},
                      {"neighbour", nullptr}});
  }
  return scores;
}

Answer tell_model(const ApiSources& sources, const Request& request, const Captured& captured) {
  Parameters parameters(request, {"commit"});
  const std::string wanted = parameters.text("commit", 64).value_or("");
  MUSTER_ANSWER_CHECK(parameters);
  const io::Archive::Filter filter = filter_of(captured);
  MUSTER_ANSWER(const auto rows, sources.archive.runs(filter, {}, kMostModelRuns));
  const std::string name =
      rows.empty() ? filter.model + filter.commit : rows.front().model().name();
  if (rows.empty()) {
    Problem unknown{.kind = ProblemKind::kNotFound, .detail = "'" + name + "' was never run here"};
    unknown.near = sources.board.with([&](Board& board) { return near(board, name); });
    return tl::make_unexpected(std::move(unknown));
  }
  const auto latest = std::find_if(rows.begin(), rows.end(), [&](const pb::JobRow& row) {
    return row.model().commit().starts_with(wanted);
  });
  if (latest == rows.end()) {
    return problem(ProblemKind::kNotFound, "no run of '" + name + "' had commit " + wanted);
  }
  const pb::ModelPin& pin = latest->model();
  Json json = model_entry({pin, static_cast<int64_t>(rows.size()), rows.front().accepted_at_ms()});
  json["hub_url"] = pin.path().empty() ? Json("https://huggingface.co/" + name) : Json(nullptr);
  json["commits"] = Json::array();
  json["histories"] = Json::array();
  json["jobs"] = Json::array();
  std::map<std::string, std::pair<int64_t, int64_t>> commits;  // First run, and how many.
  for (const pb::JobRow& row : rows) {
    auto& [first_ms, runs] = commits[row.model().commit()];
    first_ms = row.accepted_at_ms();
    ++runs;
    if (json["jobs"].size() < kMostJobs) json["jobs"].push_back(job_json({.row = row}));
  }
  for (const auto& [commit, about] : commits) {
    if (commit.empty()) continue;
    json["commits"].push_back(
        {{"commit", commit}, {"first_run_ms", about.first}, {"runs", about.second}});
  }
  json["scores"] = sources.board.with([&](Board& board) {
    const auto row = board.rows().find({pin.name(), pin.commit(), pin.dtype()});
    return row == board.rows().end() ? Json(Json::array()) : scores_of(board, row->second);
  });
  return json_reply(json);
}

}  // namespace

void add_board_routes(Routes& routes, const ApiSources& sources) {
  routes.add("GET", "/leaderboard",
             [=](const Request& request, const Captured&) { return tell_board(sources, request); });
  routes.add("GET", "/leaderboard.csv", [=](const Request& request, const Captured&) {
    return export_board(sources, request, true);
  });
  routes.add("GET", "/leaderboard.json", [=](const Request& request, const Captured&) {
    return export_board(sources, request, false);
  });
  routes.add("GET", "/models/{organisation}/{name}",
             [=](const Request& request, const Captured& captured) {
               return tell_model(sources, request, captured);
             });
}

}  // namespace muster::web
