#include "io/server_tables.h"

#include <fcntl.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/digest.h"
#include "base/overloaded.h"
#include "io/machine_keys.h"
#include "io/message_text.h"
#include "io/server_schema.h"

namespace muster::io {
namespace {

constexpr std::chrono::hours kMostBetweenStarts{7 * 24};
constexpr std::chrono::minutes kCountEvery{10};

// Where a kind of message lies: the table, what names a row there, and its column.
struct Place {
  const char* table;
  const char* key;
  const char* column;
};
Place place_of(const pb::PoolRow&) { return {"identity", "'id = 1'", "row"}; }
Place place_of(const pb::JobRow&) {
  return {"job", "'job = ''' || job || ''' AND run = ' || run", "row"};
}
Place place_of(const pb::MachineRow&) {
  return {"machine", "'machine = ''' || machine || ''''", "row"};
}
Place place_of(const pb::TokenRow&) { return {"token", "'token = ''' || token || ''''", "row"}; }
Place place_of(const pb::Reason&) {
  return {"reason", "'job = ''' || job || ''' AND run = ' || run || ' AND number = ' || number",
          "reason"};
}

// Of a job's runs its latest.
const std::string kLatest = "t.run = (SELECT MAX(run) FROM job WHERE job = t.job)";
const std::string kGoesOn = "state NOT IN " + states_that_are_over();

std::string at_most(size_t count) { return " LIMIT " + std::to_string(count); }

}  // namespace

Status ServerTables::open(const Path& path) {
  path_ = path;
  // SOCI takes words apart at blanks and quotes; under this name the file is without any.
  const Descriptor folder(::open(path.parent_path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (folder.fd < 0)
    return fail(Code::kDisk, path.parent_path().string() + ": " + std::strerror(errno));
  sql_.open(soci::sqlite3, "dbname=/proc/self/fd/" + std::to_string(folder.fd) + "/" +
                               path.filename().string() + " timeout=5");
  sql_ << "PRAGMA journal_mode = WAL";
  sql_ << "PRAGMA synchronous = FULL";
  MUSTER_TRY(file_, FileIdentity::of(path));
  bring_up_to_date(sql_);
  take_over();
  return {};
}

void ServerTables::take_over() {
  soci::transaction transaction(sql_);
  sql_ << "UPDATE pool SET epoch = epoch + 1";
  sql_ << "SELECT epoch FROM pool", soci::into(epoch_);
  transaction.commit();
}

Result<roles::server::ServerState> ServerTables::load() {
  roles::server::ServerState state;
  state.pool_epoch = static_cast<uint64_t>(epoch_);
  MUSTER_TRY(state.pool, identity());
  std::string view;
  sql_ << "SELECT view FROM pool", soci::into(view);
  if (!from_text(view, state.view)) return unreadable("pool", "id = 1");
  MUSTER_TRY(state.live,
             read<pb::JobRow>("WHERE " + kGoesOn + " AND " + kLatest + " ORDER BY job"));
  const std::string over = "WHERE ended_ms > 0 AND " + kLatest + " ORDER BY ended_ms DESC";
  MUSTER_TRY_STATUS(visit<pb::JobRow>(over, {}, [&](const pb::JobRow& row) {
    if (auto run = roles::server::kept_run(row)) state.kept.push_back(std::move(*run));
    return state.kept.size() < roles::server::kMostKept;
  }));
  MUSTER_TRY(state.machines, read<pb::MachineRow>("ORDER BY machine"));
  MUSTER_TRY(state.reasons,
             read<pb::Reason>("WHERE EXISTS (SELECT 1 FROM job WHERE job = t.job AND run = t.run "
                              "AND " +
                              kGoesOn + ") ORDER BY job, number"));
  MUSTER_TRY(state.tokens, read<pb::TokenRow>("ORDER BY token"));
  const auto since = counted_.count() - roles::server::Limits::kDayMs;
  const std::string today = "WHERE accepted_ms > " + std::to_string(since);
  MUSTER_TRY_STATUS(visit<pb::JobRow>(today, {}, [&](const pb::JobRow& row) {
    const auto items = static_cast<uint64_t>(row.total_items());
    state.counted.push_back(roles::server::counted_run(row, items));
    return true;
  }));
  return state;
}

// Drawn when the database is made: another one is another pool, whatever its address.
Result<pb::PoolRow> ServerTables::identity() {
  MUSTER_TRY(const auto rows, read<pb::PoolRow>(""));
  if (!rows.empty()) return rows.front();
  pb::PoolRow row;
  row.set_pool(to_hex(random_bytes(16)));
  write(row);
  return row;
}

Result<roles::FoundJobs> ServerTables::find(const roles::FindJobs& find) {
  MUSTER_TRY(roles::FoundJobs found, find.named.empty() ? all_jobs() : jobs_named(find.named));
  if (find.machine.empty()) return found;
  const std::string picked = "WHERE machine = :machine AND " + kLatest + " ORDER BY at_ms DESC";
  MUSTER_TRY(found.reasons_of_machine,
             read<pb::Reason>(picked + at_most(roles::kMostReasons), {find.machine}));
  std::reverse(found.reasons_of_machine.begin(), found.reasons_of_machine.end());
  return found;
}

// Names are in hexadecimal: what begins so comes before its end with a g.
Result<roles::FoundJobs> ServerTables::jobs_named(const std::string& prefix) {
  roles::FoundJobs found;
  MUSTER_TRY(found.rows, read<pb::JobRow>("WHERE job >= :first AND job < :last AND " + kLatest +
                                              " ORDER BY job" + at_most(roles::kMostNamed),
                                          {prefix, prefix + "g"}));
  if (found.rows.size() != 1) return found;
  MUSTER_TRY(found.reasons, read<pb::Reason>("WHERE job = :job AND " + kLatest + " ORDER BY number",
                                             {found.rows.front().job()}));
  return found;
}

Result<roles::FoundJobs> ServerTables::all_jobs() {
  roles::FoundJobs found;
  long long in_all = 0;
  sql_ << "SELECT COUNT(DISTINCT job) FROM job", soci::into(in_all);
  found.in_all = static_cast<uint64_t>(in_all);
  size_t bytes = 0;
  MUSTER_TRY_STATUS(
      visit<pb::JobRow>("WHERE " + kLatest + " ORDER BY accepted_ms DESC", {}, [&](pb::JobRow row) {
        bytes += row.ByteSizeLong();
        if (bytes > roles::kMostFound) return false;
        found.rows.push_back(std::move(row));
        return true;
      }));
  return found;
}

bool ServerTables::is_mine() {
  long long current = 0;
  sql_ << "SELECT epoch FROM pool", soci::into(current);
  return current == epoch_;
}

Status ServerTables::apply(const std::vector<roles::Change>& changes) {
  if (!is_mine()) return fail(Code::kUnavailable, "another server has this pool now");
  for (const roles::Change& change : changes) {
    std::visit(overloaded{[&](const roles::SavePool& save) { write(save.row); },
                          [&](const roles::SaveView& save) { write(save.view); },
                          [&](const roles::SaveJob& save) { write(save.row); },
                          [&](const roles::SaveMachine& save) { write(save.row); },
                          [&](const roles::SaveReason& save) { write(save.reason); },
                          [&](const roles::SaveToken& save) { write(save.row); },
                          [&](const roles::DropToken& drop) { drop_token(drop.id); }},
               change);
  }
  return file_.still_there();
}

template <typename Message>
Status ServerTables::visit(const std::string& picked, const std::vector<std::string>& values,
                           const std::function<bool(Message)>& take) {
  const Place place = place_of(Message());
  auto query = (sql_.prepare << "SELECT " << place.key << ", " << place.column << " FROM "
                             << place.table << " AS t " << picked);
  for (const std::string& value : values) query, soci::use(value);
  soci::rowset<soci::row> rows = query;
  for (const soci::row& row : rows) {
    Message message;
    if (!from_text(row.get<std::string>(1), message)) {
      return unreadable(place.table, row.get<std::string>(0));
    }
    if (!take(std::move(message))) break;
  }
  return {};
}

template <typename Message>
Result<std::vector<Message>> ServerTables::read(const std::string& picked,
                                                const std::vector<std::string>& values) {
  std::vector<Message> messages;
  MUSTER_TRY_STATUS(visit<Message>(picked, values, [&](Message message) {
    messages.push_back(std::move(message));
    return true;
  }));
  return messages;
}

tl::unexpected<Error> ServerTables::unreadable(const std::string& table,
                                               const std::string& where) const {
  return fail(Code::kDisk, path_.string() + ": the row of table " + table + " where " + where +
                               " cannot be read. Bring the file back from a backup; or do "
                               "without the row: sqlite3 " +
                               path_.string() + " \"DELETE FROM " + table + " WHERE " + where +
                               "\"");
}

std::chrono::milliseconds ServerTables::begin_counting(std::chrono::milliseconds clock) {
  long long before = 0;
  sql_ << "SELECT counted_ms FROM clock", soci::into(before);
  const bool first = !sql_.got_data();
  const auto most = std::chrono::milliseconds(before) + kMostBetweenStarts;
  counted_ = first ? clock : std::min(clock, most);
  counted_at_ = SteadyClock::now();
  if (first) save_count();
  return clock - counted_;
}

void ServerTables::count_on() {
  const auto now = SteadyClock::now();
  if (now - counted_at_ < kCountEvery) return;
  counted_ += std::chrono::duration_cast<std::chrono::milliseconds>(now - counted_at_);
  counted_at_ = now;
  save_count();
}

void ServerTables::save_count() {
  const long long value = counted_.count();
  sql_ << "INSERT INTO clock (id, counted_ms) VALUES (1, :value) "
          "ON CONFLICT (id) DO UPDATE SET counted_ms = excluded.counted_ms",
      soci::use(value);
}

void ServerTables::write(const pb::PoolRow& row) {
  const std::string text = to_text(row);
  sql_ << "INSERT INTO identity (id, row) VALUES (1, :row) "
          "ON CONFLICT (id) DO UPDATE SET row = excluded.row",
      soci::use(text);
}

void ServerTables::write(const pb::View& view) {
  const std::string text = to_text(view);
  const auto number = static_cast<long long>(view.number());
  sql_ << "UPDATE pool SET view_number = :number, view = :view WHERE epoch = :epoch",
      soci::use(number), soci::use(text), soci::use(epoch_);
}

void ServerTables::write(const pb::JobRow& row) {
  const std::string text = to_text(row);
  const std::string& job = row.job();
  const auto run = static_cast<long long>(row.run());
  const auto job_epoch = static_cast<long long>(row.epoch());
  const int state = row.state();
  const long long accepted = row.accepted_at_ms(), ended = row.ended_at_ms();
  sql_ << "INSERT INTO job (job, run, epoch, state, accepted_ms, ended_ms, row) VALUES (:job, "
          ":run, :epoch, :state, :accepted, :ended, :row) ON CONFLICT (job, run) DO UPDATE SET "
          "epoch = excluded.epoch, state = excluded.state, accepted_ms = excluded.accepted_ms, "
          "ended_ms = excluded.ended_ms, row = excluded.row",
      soci::use(job), soci::use(run), soci::use(job_epoch), soci::use(state), soci::use(accepted),
      soci::use(ended), soci::use(text);
}

// Only the latest of a job are kept.
void ServerTables::write(const pb::Reason& reason) {
  const std::string text = to_text(reason);
  const std::string &job = reason.job(), &machine = reason.machine();
  const auto run = static_cast<long long>(reason.run());
  const auto number = static_cast<long long>(reason.number()),
             oldest = number - roles::kMostReasons;
  const long long at = reason.at_ms();
  sql_ << "INSERT INTO reason (job, run, number, machine, at_ms, reason) VALUES (:job, :run, "
          ":number, :machine, :at, :reason) ON CONFLICT (job, run, number) DO UPDATE SET "
          "at_ms = excluded.at_ms, reason = excluded.reason",
      soci::use(job), soci::use(run), soci::use(number), soci::use(machine), soci::use(at),
      soci::use(text);
  sql_ << "DELETE FROM reason WHERE job = :job AND (run < :run OR number <= :oldest)",
      soci::use(job), soci::use(run), soci::use(oldest);
}

void ServerTables::write(const pb::TokenRow& row) {
  const std::string text = to_text(row);
  const std::string& token = row.id();
  sql_ << "INSERT INTO token (token, row) VALUES (:token, :row) "
          "ON CONFLICT (token) DO UPDATE SET row = excluded.row",
      soci::use(token), soci::use(text);
}

void ServerTables::drop_token(const std::string& id) {
  sql_ << "DELETE FROM token WHERE token = :token", soci::use(id);
}

void ServerTables::write(const pb::MachineRow& row) {
  const std::string text = to_text(row);
  const std::string& machine = row.machine();
  const int quarantined = row.quarantined() ? 1 : 0;
  sql_ << "INSERT INTO machine (machine, quarantined, row) VALUES (:machine, :quarantined, :row) "
          "ON CONFLICT (machine) DO UPDATE SET quarantined = excluded.quarantined, "
          "row = excluded.row",
      soci::use(machine), soci::use(quarantined), soci::use(text);
}

}  // namespace muster::io
