#include "io/database/tables.h"

#include <algorithm>

#include "base/digest.h"
#include "base/overloaded.h"
#include "io/database/message_text.h"
#include "io/database/rows.h"
#include "io/machine_keys.h"

namespace muster::io {
namespace {

constexpr size_t kPage = 2000;  // Rows in memory at once.

// Where a kind of message lies: the table, and what names a row there.
struct Place {
  const char* table;
  const char* key;
};
Place place_of(const pb::PoolRow&) { return {"identity", "'id = 1'"}; }
Place place_of(const pb::JobRow&) {
  return {"jobs", "'job = ''' || job || ''' AND run = ' || run"};
}
Place place_of(const pb::MachineRow&) { return {"machines", "'machine = ''' || machine || ''''"}; }
Place place_of(const pb::TokenRow&) { return {"join_tokens", "'token = ''' || token || ''''"}; }
Place place_of(const pb::Reason&) {
  return {"reasons", "'job = ''' || job || ''' AND run = ' || run || ' AND number = ' || number"};
}

// Of a job's runs its latest.
const std::string kLatest = "t.run = (SELECT MAX(run) FROM jobs WHERE job = t.job)";

}  // namespace

void ServerTables::take_over() {
  Transaction transaction(connection_);
  connection_.session() << "UPDATE pool SET pool_epoch = pool_epoch + 1";
  connection_.session() << "SELECT pool_epoch FROM pool", soci::into(epoch_);
  transaction.commit();
}

Result<roles::server::ServerState> ServerTables::load(int64_t today_ms) {
  roles::server::ServerState state;
  state.pool_epoch = static_cast<uint64_t>(epoch_);
  MUSTER_TRY(state.pool, identity());
  MUSTER_TRY(state.view, view());
  const std::string goes_on = "state NOT IN " + words_of_what_is_over();
  MUSTER_TRY(state.live, read<pb::JobRow>({goes_on + " AND " + kLatest, "job", {}}));
  MUSTER_TRY_STATUS(visit<pb::JobRow>({"ended_ms > 0 AND " + kLatest, "ended_ms DESC, job", {}},
                                      [&](const pb::JobRow& row) {
                                        if (auto run = roles::server::kept_run(row))
                                          state.kept.push_back(std::move(*run));
                                        return state.kept.size() < roles::server::kMostKept;
                                      }));
  MUSTER_TRY(state.machines, read<pb::MachineRow>({"", "machine", {}}));
  MUSTER_TRY(state.reasons,
             read<pb::Reason>({"EXISTS (SELECT 1 FROM jobs WHERE job = t.job AND run = t.run AND " +
                                   goes_on + ")",
                               "job, number",
                               {}}));
  MUSTER_TRY(state.tokens, read<pb::TokenRow>({"", "token", {}}));
  MUSTER_TRY_STATUS(visit<pb::JobRow>(
      {"accepted_ms > " + std::to_string(today_ms), "job, run", {}}, [&](const pb::JobRow& row) {
        const auto items = static_cast<uint64_t>(row.total_items());
        state.counted.push_back(roles::server::counted_run(row, items));
        return true;
      }));
  return state;
}

// Drawn when the database is made: another one is another pool, whatever its address.
Result<pb::PoolRow> ServerTables::identity() {
  MUSTER_TRY(const auto rows, read<pb::PoolRow>({"", "id", {}}));
  if (!rows.empty()) return rows.front();
  pb::PoolRow row;
  row.set_pool(to_hex(random_bytes(16)));
  write_row(connection_.session(), row);
  return row;
}

Result<pb::View> ServerTables::view() {
  std::string text;
  connection_.session() << "SELECT view FROM pool", soci::into(text);
  pb::View view;
  if (!from_text(text, view)) return unreadable("pool", "id = 1");
  return view;
}

Result<roles::FoundJobs> ServerTables::find(const roles::FindJobs& find) {
  MUSTER_TRY(roles::FoundJobs found, find.named.empty() ? all_jobs() : jobs_named(find.named));
  if (find.machine.empty()) return found;
  MUSTER_TRY(found.reasons_of_machine, read<pb::Reason>({"machine = :machine AND " + kLatest,
                                                         "at_ms DESC, job, number",
                                                         {find.machine},
                                                         roles::kMostReasons}));
  std::reverse(found.reasons_of_machine.begin(), found.reasons_of_machine.end());
  return found;
}

// Names are in hexadecimal: what begins so comes before its end with a g.
Result<roles::FoundJobs> ServerTables::jobs_named(const std::string& prefix) {
  roles::FoundJobs found;
  MUSTER_TRY(found.rows, read<pb::JobRow>({"job >= :first AND job < :last AND " + kLatest,
                                           "job",
                                           {prefix, prefix + "g"},
                                           roles::kMostNamed}));
  if (found.rows.size() != 1) return found;
  MUSTER_TRY(found.reasons,
             read<pb::Reason>({"job = :job AND " + kLatest, "number", {found.rows.front().job()}}));
  return found;
}

Result<roles::FoundJobs> ServerTables::all_jobs() {
  roles::FoundJobs found;
  long long in_all = 0;
  connection_.session() << "SELECT COUNT(DISTINCT job) FROM jobs", soci::into(in_all);
  found.in_all = static_cast<uint64_t>(in_all);
  size_t bytes = 0;
  MUSTER_TRY_STATUS(
      visit<pb::JobRow>({kLatest, "accepted_ms DESC, job, run", {}}, [&](pb::JobRow row) {
        bytes += row.ByteSizeLong();
        if (bytes > roles::kMostFound) return false;
        found.rows.push_back(std::move(row));
        return true;
      }));
  return found;
}

bool ServerTables::is_mine() {
  long long current = 0;
  connection_.session() << "SELECT pool_epoch FROM pool", soci::into(current);
  return current == epoch_;
}

Result<std::string> ServerTables::fence() {
  const Fence fence = connection_.fence();
  if (fence.epoch == epoch_) return fence.transaction;
  return fail(Code::kUnavailable, "another server has this pool now");
}

void ServerTables::apply(const roles::Change& change) {
  soci::session& sql = connection_.session();
  std::visit(overloaded{[&](const roles::SavePool& save) { write_row(sql, save.row); },
                        [&](const roles::SaveView& save) { write(save.view); },
                        [&](const roles::SaveJob& save) { write_row(sql, save.row); },
                        [&](const roles::SaveMachine& save) { write_row(sql, save.row); },
                        [&](const roles::SaveReason& save) { write_row(sql, save.reason); },
                        [&](const roles::SaveToken& save) { write_row(sql, save.row); },
                        [&](const roles::DropToken& drop) { drop_token(drop.id); }},
             change);
}

void ServerTables::write(const pb::View& view) {
  const std::string text = to_text(view);
  const auto number = static_cast<long long>(view.number());
  connection_.session() << "UPDATE pool SET view_number = :number, view = :view", soci::use(number),
      soci::use(text);
}

void ServerTables::drop_token(const std::string& id) {
  connection_.session() << "DELETE FROM join_tokens WHERE token = :token", soci::use(id);
}

// A page after the other: the only one who writes is who reads here.
template <typename Message>
Status ServerTables::visit(const Pick& pick, const std::function<bool(Message)>& take) {
  const Place place = place_of(Message());
  const std::string picked = std::string("SELECT ") + place.key + ", row FROM " + place.table +
                             " AS t" + (pick.where.empty() ? "" : " WHERE " + pick.where) +
                             " ORDER BY " + pick.order;
  for (size_t from = 0; from < pick.most; from += kPage) {
    const size_t page = std::min(kPage, pick.most - from);
    auto query =
        (connection_.session().prepare << picked << " LIMIT " << page << " OFFSET " << from);
    for (const std::string& value : pick.values) query, soci::use(value);
    soci::rowset<soci::row> rows = query;
    size_t count = 0;
    for (const soci::row& row : rows) {
      ++count;
      Message message;
      if (!from_text(row.get<std::string>(1), message)) {
        return unreadable(place.table, row.get<std::string>(0));
      }
      if (!take(std::move(message))) return {};
    }
    if (count < page) return {};
  }
  return {};
}

template <typename Message>
Result<std::vector<Message>> ServerTables::read(const Pick& pick) {
  std::vector<Message> messages;
  MUSTER_TRY_STATUS(visit<Message>(pick, [&](Message message) {
    messages.push_back(std::move(message));
    return true;
  }));
  return messages;
}

tl::unexpected<Error> ServerTables::unreadable(const std::string& table,
                                               const std::string& where) const {
  return fail(
      Code::kDisk,
      connection_.name() + ": the row of table " + table + " where " + where +
          " cannot be read. Bring the database back from a backup; or do without the row: " +
          connection_.command_for("DELETE FROM " + table + " WHERE " + where));
}

}  // namespace muster::io
