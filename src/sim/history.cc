#include "sim/history.h"

#include <string>

#include "base/digest.h"

namespace muster::sim {
namespace {

constexpr int kItems = 100;

int64_t to_ms(Duration duration) { return duration.count() / 1000; }

pb::JobRow accepted(const std::string& what, int64_t at_ms) {
  pb::JobRow row;
  row.set_job(to_hex(sha256(what).view()).substr(0, 16));
  row.set_run(1);
  row.set_state(pb::JOB_STATE_RUNNING);
  row.set_accepted_at_ms(at_ms);
  row.mutable_request()->set_model("ORG/" + what);
  row.mutable_request()->add_tasks("tinyMMLU");
  row.mutable_request()->set_limit(kItems);
  row.mutable_model()->set_name("ORG/" + what);
  row.mutable_model()->set_commit(to_hex(sha256("commit of " + what).view()).substr(0, 40));
  row.mutable_model()->set_dtype("float32");
  return row;
}

void end(pb::JobRow& row, int64_t at_ms) {
  row.set_state(pb::JOB_STATE_DONE);
  row.set_epoch(1);
  row.set_ended_at_ms(at_ms);
  row.set_settled_items(kItems);
  row.set_total_items(kItems);
  row.set_frozen_digest(std::string(sha256("items of " + row.job()).view()));
  row.add_numeric_classes("test");
  row.add_assignments()->set_epoch(1);
  row.mutable_assignments(0)->set_coordinator(std::string(64, 'c'));
  *row.mutable_result()->mutable_model() = row.model();
  row.mutable_result()->add_numeric_classes("test");
  pb::TaskResult& task = *row.mutable_result()->add_tasks();
  task.set_task("tinyMMLU");
  task.set_items(kItems);
  for (const char* name : {"acc", "acc_norm"}) {
    pb::Metric& metric = *task.add_metrics();
    metric.set_name(name);
    metric.set_value(0.25);
    metric.set_stderr(0.04);
  }
}

}  // namespace

void add_jobs_that_are_over(ServerDisk& database, int count, int64_t now_ms) {
  for (int i = 0; i < count; ++i) {
    const int64_t ended_ms = now_ms - to_ms(kHistory) * i / count;
    pb::JobRow row = accepted("model-" + std::to_string(i), ended_ms - 600'000);
    end(row, ended_ms);
    database.rows[row.job()] = row;
  }
}

void add_jobs_that_go_on(ServerDisk& database, int count, int64_t now_ms) {
  for (int i = 0; i < count; ++i) {
    pb::JobRow row = accepted("live-model-" + std::to_string(i), now_ms);
    database.rows[row.job()] = row;
  }
}

}  // namespace muster::sim
