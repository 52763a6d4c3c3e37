#include "io/database/archive.h"

#include <filesystem>

#include "base/guarded.h"
#include "base/hex.h"
#include "io/database/message_text.h"
#include "io/database/schema.h"

namespace muster::io {
namespace {

// Of LIKE, for text that is to stand there as it is.
std::string escaped(const std::string& text) {
  std::string pattern;
  for (const char letter : text) {
    if (letter == '%' || letter == '_' || letter == '\\') pattern += '\\';
    pattern += letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter | 0x20) : letter;
  }
  return pattern;
}

bool begins_an_id(const std::string& text) {
  return text.size() >= 4 && text.size() <= 16 && is_hex(text, text.size());
}

// Of rows that are in order of a time, a job and a number of its.
std::string comes_before(const std::string& columns, const Archive::Place& place,
                         const char* order) {
  return "(" + columns + ") " + order + " (" + std::to_string(place.ms) + ", :job_of_place, " +
         std::to_string(place.number) + ")";
}

// Conditions, and the values of their placeholders.
class Where {
 public:
  void add(const std::string& condition, const std::vector<std::string>& values = {}) {
    text_ += (text_.empty() ? "" : " AND ") + condition;
    values_.insert(values_.end(), values.begin(), values.end());
  }
  [[nodiscard]] const std::string& text() const { return text_; }
  [[nodiscard]] const std::vector<std::string>& values() const { return values_; }

 private:
  std::string text_;
  std::vector<std::string> values_;
};

void add_states(const std::vector<std::string>& states, Where& where) {
  if (states.empty()) return;
  std::string list;
  for (size_t i = 0; i < states.size(); ++i) {
    list += (list.empty() ? ":state" : ", :state") + std::to_string(i);
  }
  where.add("state IN (" + list + ")", states);
}

Where where_of(const Archive::Filter& filter, const std::optional<Archive::Place>& before) {
  Where where;
  add_states(filter.states, where);
  if (!filter.model.empty()) where.add("model = :model", {filter.model});
  if (!filter.commit.empty()) where.add("commit_sha = :commit", {filter.commit});
  if (!filter.task.empty()) {
    where.add("(',' || LOWER(tasks) || ',') LIKE :task ESCAPE '\\'",
              {"%," + escaped(filter.task) + ",%"});
  }
  if (begins_an_id(filter.text)) {
    where.add("((job >= :first AND job < :last) OR LOWER(model) LIKE :text ESCAPE '\\')",
              {filter.text, filter.text + "g", "%" + escaped(filter.text) + "%"});
  } else if (!filter.text.empty()) {
    where.add("LOWER(model) LIKE :text ESCAPE '\\'", {"%" + escaped(filter.text) + "%"});
  }
  if (before) where.add(comes_before("accepted_ms, job, run", *before, "<"), {before->job});
  return where;
}

tl::unexpected<Error> not_yet(const Connection& connection) {
  return fail(Code::kUnavailable, connection.name() +
                                      ": no server of this version has begun a pool there yet; "
                                      "is --database that of the server?");
}

}  // namespace

Result<pb::PoolRow> Archive::pool() {
  MUSTER_TRY(auto rows, read<pb::PoolRow>({"identity", "", "id", {}, 1}));
  if (rows.empty()) return fail(Code::kUnavailable, "no server has begun a pool there yet");
  return std::move(rows.front());
}

Result<std::vector<pb::JobRow>> Archive::runs(const Filter& filter,
                                              const std::optional<Place>& before, size_t most) {
  const Where where = where_of(filter, before);
  return read<pb::JobRow>(
      {"jobs", where.text(), "accepted_ms DESC, job DESC, run DESC", where.values(), most});
}

Result<std::vector<pb::JobRow>> Archive::runs_of(const std::string& job) {
  return read<pb::JobRow>({"jobs", "job = :job", "run DESC", {job}, kMostRuns});
}

Result<std::optional<pb::JobRow>> Archive::run(const std::string& job,
                                               std::optional<uint32_t> number) {
  const std::string where = number ? " AND run = " + std::to_string(*number) : "";
  MUSTER_TRY(auto rows, read<pb::JobRow>({"jobs", "job = :job" + where, "run DESC", {job}, 1}));
  if (rows.empty()) return std::optional<pb::JobRow>();
  return std::optional(std::move(rows.front()));
}

Result<std::vector<Archive::Count>> Archive::count_runs() {
  std::vector<Count> counts;
  MUSTER_TRY_STATUS(ask([&](Connection& connection) -> Status {
    std::vector<std::string> states(pb::JobState_ARRAYSIZE);
    std::vector<long long> runs(pb::JobState_ARRAYSIZE);  // SOCI cuts both to what there is.
    connection.session() << "SELECT state, COUNT(*) FROM jobs GROUP BY state ORDER BY state",
        soci::into(states), soci::into(runs);
    counts.clear();
    for (size_t i = 0; i < states.size(); ++i) counts.push_back({states[i], runs[i]});
    return {};
  }));
  return counts;
}

Result<std::vector<pb::JobRow>> Archive::done_runs(const Place& after, size_t most) {
  const std::string where = "state = 'done' AND " + comes_before("ended_ms, job, run", after, ">");
  return read<pb::JobRow>({"jobs", where, "ended_ms, job, run", {after.job}, most});
}

Result<std::vector<pb::Reason>> Archive::reasons(const std::string& job, uint32_t run,
                                                 int64_t before, size_t most) {
  const std::string where =
      "job = :job AND run = " + std::to_string(run) + " AND number < " + std::to_string(before);
  return read<pb::Reason>({"reasons", where, "number DESC", {job}, most});
}

Result<std::vector<pb::Reason>> Archive::reasons_about(const std::string& machine,
                                                       const std::optional<Place>& before,
                                                       size_t most) {
  Where where;
  where.add("machine = :machine", {machine});
  if (before) where.add(comes_before("at_ms, job, number", *before, "<"), {before->job});
  return read<pb::Reason>(
      {"reasons", where.text(), "at_ms DESC, job DESC, number DESC", where.values(), most});
}

template <typename Message>
Result<std::vector<Message>> Archive::read(const Question& question) {
  std::vector<Message> messages;
  MUSTER_TRY_STATUS(ask([&](Connection& connection) -> Status {
    messages.clear();
    const std::string where = question.where.empty() ? "" : " WHERE " + question.where;
    auto query = (connection.session().prepare << "SELECT row FROM " << question.table << where
                                               << " ORDER BY " << question.order << " LIMIT "
                                               << question.most);
    for (const std::string& value : question.values) query, soci::use(value);
    soci::rowset<std::string> rows = query;
    for (const std::string& text : rows) {
      if (from_text(text, messages.emplace_back())) continue;
      return fail(Code::kDisk, connection.name() + ": a row of table " + question.table +
                                   " cannot be read: " + text.substr(0, 60));
    }
    return {};
  }));
  return messages;
}

// A connection that was lost since the last question is found out by this one, which is asked
// again.
Status Archive::ask(const std::function<Status(Connection&)>& work) {
  const std::lock_guard lock(mutex_);
  const bool is_old = connection_ != nullptr;
  if (!is_old) MUSTER_TRY_STATUS(connect());
  try {
    Status done;
    connection_->within(kPatience, [&] { done = work(*connection_); });
    return done;
  } catch (const std::exception& error) {
    const bool is_lost = connection_->is_lost(error);
    const Code code = connection_->passes(error) ? Code::kUnavailable : Code::kDisk;
    auto failure = fail(code, connection_->name() + ": " + reason_of(error));
    if (!is_lost) return failure;
    connection_.reset();
    if (!is_old || !connect()) return failure;
  }
  return guarded([&] {
    Status done;
    connection_->within(kPatience, [&] { done = work(*connection_); });
    return done;
  });
}

Status Archive::connect() {
  auto connection = Connection::to(address_);
  if (!address_.is_postgres() && !std::filesystem::exists(address_.file())) {
    return not_yet(*connection);
  }
  MUSTER_TRY_STATUS(connection->open());
  long long version = 0;
  try {
    connection->session() << "SELECT version FROM schema_version", soci::into(version);
  } catch (const std::exception&) {
    return not_yet(*connection);  // Whoever makes tables is the server.
  }
  if (version < kSchema) return not_yet(*connection);
  if (version > kSchema) {
    return fail(Code::kUnsupported, connection->name() + " is of a newer muster (schema " +
                                        std::to_string(version) + "): upgrade this one");
  }
  connection_ = std::move(connection);
  return {};
}

}  // namespace muster::io
