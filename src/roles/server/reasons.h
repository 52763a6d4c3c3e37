#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "roles/role.h"
#include "roles/server/write_ids.h"

namespace muster::roles::server {

// What happened to each run that goes on, for a person who asks why things are as they are; what
// happened to one that is over is in the database alone. The kMost latest of a run are kept.
//
// What a machine did last and does once more is counted, not listed again, and is written only now
// and then: at the powers of two, when it has not happened for a while, and when the run ends.
// Nothing waits for what is written here, and what could not be written is not written again.
//
// Invariants: all of a job are of one run; their numbers rise from one to the next.
class Reasons {
 public:
  static constexpr size_t kMost = kMostReasons;

  explicit Reasons(WriteIds& ids) : ids_(ids) {}
  // As it was written by a server before; each job's in order.
  void restore(pb::Reason reason);

  // It happened in this run, by this machine; empty: by none. Unix time in milliseconds.
  void note_event(const pb::JobRow& run, const std::string& machine, const std::string& text,
                  int64_t at_ms, Effects& effects);
  // What the coordinator says that happened. It says each thing several times; an assignment
  // numbers its own.
  void note_events(const pb::JobRow& run, const pb::JobProgress& progress, int64_t at_ms,
                   Effects& effects);
  // The job's run is over: what is not written yet is written, and forgotten here.
  void end_run(const std::string& job, Effects& effects);

  // Appends those of the job, in order.
  void list_job(const std::string& job, pb::WhyReply& reply) const;
  // Appends those of the machine, the kMost latest, by time: in jobs that go on, and of what the
  // database knows (`before`) in others. Costs what there is of all jobs that go on.
  void list_machine(const std::string& machine, const std::vector<pb::Reason>& before,
                    pb::WhyReply& reply) const;

  // Looks at all of it (checked).
  void check() const;

 private:
  struct Entry {
    pb::Reason reason;
    bool is_written = false;  // As it is now.
  };
  struct Story {
    std::deque<Entry> entries;
    std::pair<uint64_t, uint64_t> heard;  // {epoch, number} of the last event.
  };
  static Entry& add(Story& story, const pb::JobRow& run, const std::string& machine,
                    const std::string& text);
  void write(Entry& entry, Effects& effects);

  WriteIds& ids_;
  std::map<std::string, Story> stories_;  // By job.
};

}  // namespace muster::roles::server
