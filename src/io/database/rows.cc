#include "io/database/rows.h"

#include <algorithm>
#include <cmath>

#include "base/digest.h"
#include "base/printable.h"
#include "io/database/message_text.h"
#include "roles/database.h"
#include "wire/job_state.h"
#include "wire/pool_role.h"

namespace muster::io {
namespace {

constexpr size_t kMostShown = 2000;

// Text as both databases keep it: UTF-8, and without a NUL, at which PostgreSQL would cut it.
std::string shown(const std::string& text) { return printable(text, kMostShown); }

std::string tasks_of(const pb::JobRequest& request) {
  std::string tasks;
  for (const std::string& task : request.tasks()) tasks += (tasks.empty() ? "" : ",") + task;
  return shown(tasks);
}

void write_result(soci::session& sql, const pb::JobRow& row, const pb::TaskResult& task,
                  const pb::Metric& metric) {
  if (!std::isfinite(metric.value())) return;  // No number, in SQL neither.
  const std::string &job = row.job(), name = shown(task.task()), word = shown(metric.name()),
                    version = shown(task.version()), note = shown(task.note());
  const auto run = static_cast<long long>(row.run());
  double value = metric.value(), error = metric.stderr();
  soci::indicator is_known =
      metric.has_stderr() && std::isfinite(error) ? soci::i_ok : soci::i_null;
  const long long shots = task.num_fewshot(), items = task.items(), documents = task.documents(),
                  votes = task.least_votes(), wanted = task.wanted_votes(),
                  below = task.items_below();
  sql << "INSERT INTO results (job, run, task, metric, version, shots, value, stderr, n, "
         "documents, votes, wanted, items_below, note) VALUES (:job, :run, :task, :metric, "
         ":version, :shots, :value, :stderr, :n, :documents, :votes, :wanted, :below, :note) "
         "ON CONFLICT (job, run, task, metric) DO NOTHING",
      soci::use(job), soci::use(run), soci::use(name), soci::use(word), soci::use(version),
      soci::use(shots), soci::use(value), soci::use(error, is_known), soci::use(items),
      soci::use(documents), soci::use(votes), soci::use(wanted), soci::use(below), soci::use(note);
}

}  // namespace

std::string words_of_what_is_over() {
  std::string list;
  for (int state = pb::JobState_MIN; state <= pb::JobState_MAX; ++state) {
    if (!pb::JobState_IsValid(state) || !wire::is_over(static_cast<pb::JobState>(state))) continue;
    list += list.empty() ? "('" : ", '";
    list.append(wire::to_word(static_cast<pb::JobState>(state))) += '\'';
  }
  return list + ")";
}

void write_row(soci::session& sql, const pb::JobRow& row) {
  const std::string &job = row.job(), text = to_text(row), state(wire::to_word(row.state())),
                    researcher = shown(row.researcher()), model = shown(row.model().name()),
                    commit = shown(row.model().commit()), tasks = tasks_of(row.request()),
                    reason = shown(row.reason());
  const auto run = static_cast<long long>(row.run()), epoch = static_cast<long long>(row.epoch());
  const long long settled = row.settled_items(), total = row.total_items(),
                  accepted = row.accepted_at_ms(), ended = row.ended_at_ms();
  sql << "INSERT INTO jobs (job, run, epoch, state, researcher, model, commit_sha, tasks, reason, "
         "settled, total, accepted_ms, ended_ms, row) VALUES (:job, :run, :epoch, :state, "
         ":researcher, :model, :commit, :tasks, :reason, :settled, :total, :accepted, :ended, "
         ":row) ON CONFLICT (job, run) DO UPDATE SET epoch = excluded.epoch, "
         "state = excluded.state, researcher = excluded.researcher, model = excluded.model, "
         "commit_sha = excluded.commit_sha, tasks = excluded.tasks, reason = excluded.reason, "
         "settled = excluded.settled, total = excluded.total, accepted_ms = excluded.accepted_ms, "
         "ended_ms = excluded.ended_ms, row = excluded.row",
      soci::use(job), soci::use(run), soci::use(epoch), soci::use(state), soci::use(researcher),
      soci::use(model), soci::use(commit), soci::use(tasks), soci::use(reason), soci::use(settled),
      soci::use(total), soci::use(accepted), soci::use(ended), soci::use(text);
  for (const pb::TaskResult& task : row.result().tasks()) {
    for (const pb::Metric& metric : task.metrics()) write_result(sql, row, task, metric);
  }
}

void write_row(soci::session& sql, const pb::Reason& reason) {
  const std::string &job = reason.job(), machine = shown(reason.machine()),
                    words = shown(reason.text()), text = to_text(reason);
  const auto run = static_cast<long long>(reason.run());
  const auto number = static_cast<long long>(reason.number()),
             oldest = number - roles::kMostReasons;
  const long long at = reason.at_ms(), times = reason.times();
  sql << "INSERT INTO reasons (job, run, number, machine, text, at_ms, times, row) VALUES (:job, "
         ":run, :number, :machine, :text, :at, :times, :row) ON CONFLICT (job, run, number) DO "
         "UPDATE SET machine = excluded.machine, text = excluded.text, at_ms = excluded.at_ms, "
         "times = excluded.times, row = excluded.row",
      soci::use(job), soci::use(run), soci::use(number), soci::use(machine), soci::use(words),
      soci::use(at), soci::use(times), soci::use(text);
  sql << "DELETE FROM reasons WHERE job = :job AND (run < :run OR number <= :oldest)",
      soci::use(job), soci::use(run), soci::use(oldest);
}

void write_row(soci::session& sql, const pb::TokenRow& row) {
  const std::string &token = row.id(), text = to_text(row), hash = to_hex(row.hash()),
                    role(wire::to_word(row.role())), owner = shown(row.owner()),
                    creator = shown(row.created_by());
  const auto uses = static_cast<long long>(row.uses()), used = static_cast<long long>(row.used());
  const long long created = row.created_at_ms(), expires = row.expires_at_ms(),
                  revoked = row.revoked_at_ms();
  sql << "INSERT INTO join_tokens (token, token_hash, role, owner, uses, used, created_ms, "
         "expires_ms, revoked_ms, created_by, row) VALUES (:token, :hash, :role, :owner, :uses, "
         ":used, :created, :expires, :revoked, :creator, :row) ON CONFLICT (token) DO UPDATE SET "
         "token_hash = excluded.token_hash, role = excluded.role, owner = excluded.owner, "
         "uses = excluded.uses, used = excluded.used, expires_ms = excluded.expires_ms, "
         "revoked_ms = excluded.revoked_ms, row = excluded.row",
      soci::use(token), soci::use(hash), soci::use(role), soci::use(owner), soci::use(uses),
      soci::use(used), soci::use(created), soci::use(expires), soci::use(revoked),
      soci::use(creator), soci::use(text);
}

void write_row(soci::session& sql, const pb::MachineRow& row) {
  const std::string &machine = row.machine(), refusal = shown(row.refusal()), text = to_text(row);
  const auto agreed = static_cast<long long>(row.agreed()),
             strikes = static_cast<long long>(row.strikes()),
             refused = static_cast<long long>(row.refused());
  const int quarantined = row.quarantined() || row.misbehaved() ? 1 : 0;
  const long long drained = row.drained_at_ms(), removed = row.removed_at_ms();
  sql << "INSERT INTO machines (machine, agreed, strikes, quarantined, refused, refusal, "
         "drained_ms, removed_ms, row) VALUES (:machine, :agreed, :strikes, :quarantined, "
         ":refused, "
         ":refusal, :drained, :removed, :row) ON CONFLICT (machine) DO UPDATE SET agreed = "
         "excluded.agreed, "
         "strikes = excluded.strikes, quarantined = excluded.quarantined, "
         "refused = excluded.refused, refusal = excluded.refusal, "
         "drained_ms = excluded.drained_ms, removed_ms = excluded.removed_ms, row = excluded.row",
      soci::use(machine), soci::use(agreed), soci::use(strikes), soci::use(quarantined),
      soci::use(refused), soci::use(refusal), soci::use(drained), soci::use(removed),
      soci::use(text);
}

void write_row(soci::session& sql, const pb::PoolRow& row) {
  const std::string text = to_text(row);
  sql << "INSERT INTO identity (id, row) VALUES (1, :row) "
         "ON CONFLICT (id) DO UPDATE SET row = excluded.row",
      soci::use(text);
}

}  // namespace muster::io
