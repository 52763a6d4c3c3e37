#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "roles/role.h"

namespace muster::roles::server {

// Which connected machine is lent to which job, and what each job could use.
//
// A worker on a new line says first what it holds; before, it is not known and nobody is lent it.
// After its line closed it may go on with the job it was lent to, for kLentFor. What a job gives
// back (released) it is not lent again before it says otherwise. Who decides what to lend next asks
// take_changed(): most of what happens gives no machine to any job.
//
// Invariants: a machine is lent to at most one job, and is connected and known then; lent(job) are
// the machines whose job_of() it is; none of them is released.
class Loans {
 public:
  static constexpr Duration kLentFor = seconds(60);

  // ---- Machines.

  // On a new line; known at once if it can hold nothing.
  void join(const std::string& machine, bool is_known);
  // The job that has lost it; empty: none.
  std::string leave(Instant now, const std::string& machine);
  [[nodiscard]] bool is_known(const std::string& machine) const;
  // It has said what it holds. It is connected (checked).
  void set_known(const std::string& machine);
  // Empty: it is lent to none, or not connected.
  [[nodiscard]] const std::string& job_of(const std::string& machine) const;
  // Its line closed lately while it was lent to this run of the job.
  [[nodiscard]] bool may_go_on(Instant now, const std::string& machine,
                               const std::string& job) const;
  // It is known, idle, and not released by the job (checked).
  void lend(const std::string& machine, const std::string& job);
  // The job that has lost it; empty: none.
  std::string take_back(const std::string& machine);

  // ---- Jobs.

  // What is to be given back when its leases end, from now on. Whether that is news.
  bool recall(const std::string& job, const std::set<std::string>& machines);
  [[nodiscard]] const std::set<std::string>& recalled(const std::string& job) const;
  // What its coordinator can use from now on. Returns what was lent to it and is so no more.
  std::vector<std::string> want(const std::string& job, const pb::WantWorkers& want);
  // It keeps what it has.
  void stop_wanting(const std::string& job) { jobs_[job].wants = 0; }
  void begin_run(const std::string& job);
  // Returns what was lent to it.
  std::vector<std::string> end_run(const std::string& job);
  [[nodiscard]] const std::set<std::string>& lent(const std::string& job) const;
  [[nodiscard]] uint32_t wants(const std::string& job) const;
  [[nodiscard]] bool has_released(const std::string& job, const std::string& machine) const;

  // When its coordinator is told anew, should it say what it wants: once in a while, or at once.
  [[nodiscard]] bool is_due(Instant now, const std::string& job) const;
  void note_told(Instant now, const std::string& job) { jobs_[job].due = now + kRepeatEvery; }
  void tell_soon(const std::string& job) { jobs_[job].due = {}; }

  // ---- All of them.

  void note_change() { changed_ = true; }
  [[nodiscard]] bool has_changed() const { return changed_; }
  [[nodiscard]] bool take_changed() { return std::exchange(changed_, false); }
  [[nodiscard]] size_t size() const;  // Machines that are lent.
  // Looks at all of it (checked).
  void check() const;

 private:
  struct Machine {
    bool is_known = false;
    std::string job;
  };
  struct Job {
    uint32_t wants = 0;
    std::set<std::string> lent;
    std::set<std::string> released;              // Whether they were lent to it or not.
    std::set<std::string> recalled;              // Some may be lent to it no more.
    std::map<std::string, Instant> lent_before;  // Whose line closed lately, and when.
    Instant due{};
  };
  [[nodiscard]] const Job& job(const std::string& id) const;

  std::map<std::string, Machine> machines_;  // Those that are connected.
  std::map<std::string, Job> jobs_;
  bool changed_ = true;
};

}  // namespace muster::roles::server
