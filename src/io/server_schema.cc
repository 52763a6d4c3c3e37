#include "io/server_schema.h"

#include <soci/soci.h>

#include <string>
#include <vector>

#include "io/message_text.h"
#include "wire/job_state.h"

namespace muster::io {
namespace {

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS pool (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, "
    "view_number INTEGER NOT NULL, view TEXT NOT NULL)",
    "INSERT INTO pool (id, epoch, view_number, view) VALUES (1, 0, 0, '') ON CONFLICT DO NOTHING",
    "CREATE TABLE IF NOT EXISTS job (job TEXT NOT NULL, run INTEGER NOT NULL, "
    "epoch INTEGER NOT NULL, state INTEGER NOT NULL, row TEXT NOT NULL, PRIMARY KEY (job, run))",
    "CREATE TABLE IF NOT EXISTS machine (machine TEXT PRIMARY KEY, quarantined INTEGER NOT NULL, "
    "row TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS reason (job TEXT NOT NULL, run INTEGER NOT NULL, "
    "number INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (job, run, number))",
    "CREATE TABLE IF NOT EXISTS token (token TEXT PRIMARY KEY, row TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS clock (id INTEGER PRIMARY KEY, counted_ms INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS identity (id INTEGER PRIMARY KEY, row TEXT NOT NULL)",
};

constexpr const char* kColumns[] = {
    "ALTER TABLE job ADD COLUMN accepted_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE job ADD COLUMN ended_ms INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE reason ADD COLUMN machine TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE reason ADD COLUMN at_ms INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX job_accepted ON job (accepted_ms)",
    "CREATE INDEX job_ended ON job (ended_ms)",
    "CREATE INDEX reason_machine ON reason (machine, at_ms)",
    "CREATE INDEX reason_at ON reason (at_ms)",
};

bool has_columns(soci::session& sql) {
  int count = 0;
  sql << "SELECT COUNT(*) FROM pragma_table_info('job') WHERE name = 'ended_ms'", soci::into(count);
  return count > 0;
}

// The texts of a query's only column. What cannot be read stays as it is: whoever needs it says so.
std::vector<std::string> texts(soci::session& sql, const std::string& query) {
  std::vector<std::string> texts;
  soci::rowset<std::string> rows = (sql.prepare << query);
  for (const std::string& text : rows) texts.push_back(text);
  return texts;
}

// Of rows that a server before these columns has written: when it was upgraded, and whenever an
// older one was started in between.
void fill_columns(soci::session& sql) {
  for (const std::string& text :
       texts(sql, "SELECT row FROM job WHERE accepted_ms = 0 OR (ended_ms = 0 AND state IN " +
                      states_that_are_over() + ")")) {
    pb::JobRow row;
    if (!from_text(text, row)) continue;
    const std::string job = row.job();
    const auto run = static_cast<long long>(row.run());
    const long long accepted = row.accepted_at_ms(), ended = row.ended_at_ms();
    sql << "UPDATE job SET accepted_ms = :accepted, ended_ms = :ended "
           "WHERE job = :job AND run = :run",
        soci::use(accepted), soci::use(ended), soci::use(job), soci::use(run);
  }
  for (const std::string& text : texts(sql, "SELECT reason FROM reason WHERE at_ms = 0")) {
    pb::Reason reason;
    if (!from_text(text, reason)) continue;
    const std::string job = reason.job(), machine = reason.machine();
    const auto run = static_cast<long long>(reason.run());
    const auto number = static_cast<long long>(reason.number());
    const long long at = reason.at_ms();
    sql << "UPDATE reason SET machine = :machine, at_ms = :at "
           "WHERE job = :job AND run = :run AND number = :number",
        soci::use(machine), soci::use(at), soci::use(job), soci::use(run), soci::use(number);
  }
}

}  // namespace

std::string states_that_are_over() {
  std::string list;
  for (int state = pb::JobState_MIN; state <= pb::JobState_MAX; ++state) {
    if (!pb::JobState_IsValid(state) || !wire::is_over(static_cast<pb::JobState>(state))) continue;
    list += (list.empty() ? "(" : ", ") + std::to_string(state);
  }
  return list + ")";
}

void bring_up_to_date(soci::session& sql) {
  soci::transaction transaction(sql);
  for (const char* statement : kTables) sql << statement;
  if (!has_columns(sql)) {
    for (const char* statement : kColumns) sql << statement;
  }
  fill_columns(sql);
  transaction.commit();
}

}  // namespace muster::io
