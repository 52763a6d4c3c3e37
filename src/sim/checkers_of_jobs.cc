// What the server promises of jobs.
#include "sim/checkers.h"

#include "wire/job_state.h"

namespace muster::sim {
namespace {

// An accepted job is never lost.
class AcceptedJobIsKept final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (!node.is_server() || !envelope.has_submit_reply()) return;
    const auto& reply = envelope.submit_reply();
    if (reply.has_failure()) return;
    accepted_.insert(wire::run_key(reply));
    check(node);
  }
  void on_started(const Node& node) override {
    if (node.is_server()) check(node);
  }
  void on_database_lost() override { accepted_.clear(); }
  void at_end() override { check(world_.node("server")); }

 private:
  void check(const Node& server) {
    for (const auto& [job, run] : accepted_) {
      auto row = server.database.rows.find(job);
      if (row != server.database.rows.end() && row->second.run() >= run) continue;
      wrong("job " + job + " run " + std::to_string(run) + " was accepted and has no row");
    }
  }
  std::set<RunKey> accepted_;
};

// An old epoch changes nothing.
class OldEpochChangesNothing final : public Checker {
 public:
  using Checker::Checker;
  void on_send(const Node& node, const pb::Envelope& envelope) override {
    if (node.is_server() || !envelope.has_finish()) return;
    const pb::Finish& finish = envelope.finish();
    finished_[{finish.key().job(), finish.key().run(), finish.key().epoch()}] = finish;
  }
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveJob>(&change);
    if (save == nullptr) return;
    const pb::JobRow& row = save->row;
    auto& before = latest_[row.job()];
    if (row.run() < before.first || row.epoch() < before.second)
      wrong("an epoch of job " + row.job() + " went back");
    before = {row.run(), row.epoch()};
    if (row.state() != pb::JOB_STATE_DONE) return;
    auto finish = finished_.find({row.job(), row.run(), row.epoch()});
    if (finish == finished_.end()) {
      wrong("job " + row.job() + " is done, but not by whom it was assigned to last");
    }
  }
  void on_database_lost() override { latest_.clear(); }

 private:
  std::map<std::string, std::pair<uint32_t, uint64_t>> latest_;
  std::map<std::tuple<std::string, uint32_t, uint64_t>, pb::Finish> finished_;
};

// A job that is over stays as it is.
class OverIsOver final : public Checker {
 public:
  using Checker::Checker;
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveJob>(&change);
    if (save == nullptr) return;
    const pb::JobRow& row = save->row;
    auto [entry, is_new] = over_.try_emplace(wire::run_key(row), row);
    if (!is_new && entry->second.state() != row.state() && wire::is_over(entry->second.state())) {
      wrong("job " + row.job() + " was over and is " + pb::JobState_Name(row.state()) + " now");
    }
    entry->second = row;
    const bool asked = std::any_of(plan_.jobs.begin(), plan_.jobs.end(),
                                   [](const JobPlan& job) { return job.cancelled.has_value(); });
    if (row.state() == pb::JOB_STATE_CANCELLED && !asked) wrong("a job was cancelled by nobody");
  }
  void on_database_lost() override { over_.clear(); }

 private:
  std::map<RunKey, pb::JobRow> over_;
};

// The same request finds the same job.
class SameRequestSameJob final : public Checker {
 public:
  using Checker::Checker;
  void at_end() override {
    const size_t rows = world_.node("server").database.rows.size();
    if (rows > plan_.jobs.size()) {
      wrong("there are " + std::to_string(rows) + " jobs of " + std::to_string(plan_.jobs.size()) +
            " requests");
    }
  }
};

// However often it is said, a submission begins one run.
class RepeatBeginsNothing final : public Checker {
 public:
  using Checker::Checker;
  void on_committed(const Node&, const roles::Change& change) override {
    const auto* save = std::get_if<roles::SaveJob>(&change);
    if (save == nullptr || save->row.idempotency_keys().empty()) return;
    const pb::JobRow& row = save->row;
    const std::string& key = *row.idempotency_keys().rbegin();
    const RunKey run = wire::run_key(row);
    if (begun_.try_emplace(key, run).first->second != run) {
      wrong("a submission of " + key + " began run " + std::to_string(row.run()) + " too");
    }
  }
  void on_database_lost() override { begun_.clear(); }

 private:
  std::map<std::string, RunKey> begun_;  // By the idempotency key.
};

}  // namespace

void add_checkers_of_jobs(AllCheckers& all) {
  all.add<AcceptedJobIsKept>("an accepted job is never lost");
  all.add<OldEpochChangesNothing>("an old epoch changes nothing");
  all.add<OverIsOver>("a job that is over stays over");
  all.add<SameRequestSameJob>("the same request finds the same job");
  all.add<RepeatBeginsNothing>("a repeated submission begins nothing");
}

}  // namespace muster::sim
