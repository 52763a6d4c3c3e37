#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "roles/server/pending.h"
#include "roles/server/tenure.h"

namespace muster::roles::server {

// A change of a job's row on its way to the database, and who is told what became of it.
struct JobChange {
  pb::JobRow row;
  std::vector<pb::Envelope> replies;  // Sent when it is durable.
  pb::Envelope on_failure;            // Sent when it is not; `to` unset: nothing.
  std::vector<pb::Tally> tallies;     // Of a run that ends by this.
};
inline SaveJob to_change(const JobChange& change) { return {change.row}; }

// The runs that go on, each as its row is committed; one that is over leaves the table. Progress
// and the loss of a coordinator are noted at once and not written: they are told again, or seen.
//
// One change of a row is written at a time; until it is known what became of it nothing else may be
// written of that job. One that begins is in the table while its run's first row is on its way,
// with run 0, and gone if that could not be written.
//
// Invariants: live() are the runs that are committed; is_writing is true of the jobs whose change
// is pending.
class JobTable {
 public:
  struct Job {
    pb::JobRow row;            // As committed; progress and coordinator as known.
    bool is_writing = false;   // A change of the row is under way.
    std::string cannot_write;  // Why that could not be committed the last time; empty: it could.
    Tenure tenure;
  };

  explicit JobTable(WriteIds& ids) : pending_(ids) {}
  // Goes on, as it was written by a server before. Whoever had the job starts again under a new
  // epoch.
  void restore(pb::JobRow row);

  // ---- What is there.

  [[nodiscard]] const Job* find(const std::string& id) const;
  [[nodiscard]] const Job& at(const std::string& id) const { return jobs_.at(id); }
  [[nodiscard]] const std::map<std::string, Job>& all() const { return jobs_; }
  [[nodiscard]] const std::set<std::string>& live() const { return live_; }
  [[nodiscard]] std::vector<std::string> named(const std::string& prefix) const;
  // Live runs that this machine coordinates.
  [[nodiscard]] size_t led_by(const std::string& coordinator) const;
  // One researcher's that go on, or begin.
  [[nodiscard]] size_t running(const std::string& researcher) const;
  // What goes on, and what is on its way to the database: that will go on, too.
  [[nodiscard]] size_t going_on() const { return live_.size() + pending_.size(); }

  // ---- What is heard of a run.

  // The job, if this is its assignment and whoever says so has it: it has spoken then.
  const Job* current(const pb::JobKey& key, const std::string& from);
  // Whether anything has changed by that.
  bool note_progress(const std::string& id, const pb::JobProgress& progress);
  // Its line has closed; `instance` is its process. Returns the machine.
  std::string lose_coordinator(Instant now, const std::string& id, const std::string& instance);
  // It left while it was assigned.
  void clear_coordinator(const std::string& id) { jobs_.at(id).row.clear_coordinator(); }
  Tenure& tenure(const std::string& id) { return jobs_.at(id).tenure; }

  // ---- Changes of rows.

  // Of a job of which none is pending (checked).
  void write(JobChange change, Effects& effects);
  void keep(Instant now, Effects& effects) { pending_.keep(now, effects); }
  struct Settled {
    Outcome outcome = Outcome::kDone;  // Unknown: it is written again, and the rest says nothing.
    JobChange change;
    pb::JobRow row;                                  // As the run stands now, if it is done.
    bool is_new_run = false, is_reassigned = false;  // By this, if it is done.
    bool is_news = false;  // If it failed: of another reason than before, in a committed row.
  };
  // What became of a change; none: the write was not of a job.
  std::optional<Settled> settle(Instant now, const Stored& stored);
  [[nodiscard]] size_t writing() const { return pending_.size(); }

  // Looks at all of it (checked).
  void check() const;

 private:
  void commit(Instant now, Job& job, const pb::JobRow& row, Settled& settled);
  void fail(Instant now, Job& job, const std::string& why, Settled& settled);

  std::map<std::string, Job> jobs_;
  std::set<std::string> live_;
  Pending<JobChange> pending_;
};

}  // namespace muster::roles::server
