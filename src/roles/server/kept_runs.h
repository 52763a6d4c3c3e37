#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "roles/role.h"
#include "roles/server/server_state.h"

namespace muster::roles::server {

// Of all that is over the server remembers this alone: of which runs the stores keep the records,
// and until when. Of each job the latest run's, for a while after its end; and no more of them than
// a message has room for (kMostFound), the latest: what stores are not told of they drop.
//
// Unix time in milliseconds.
class KeptRuns {
 public:
  // Records are kept for so long after a run's end.
  explicit KeptRuns(Duration retain) : retain_ms_(retain.count() / 1000) {}

  // It is over; or was so when this server started.
  void add(const KeptRun& over);
  // The job's next run has begun.
  void drop(const std::string& job);

  // As stores are told, the latest end first.
  [[nodiscard]] std::vector<pb::LiveJob> list(int64_t now_ms) const;
  // Whether some run's time has come since this was asked last; wakes for the next.
  [[nodiscard]] bool expire(Instant now, int64_t now_ms, Effects& effects);
  [[nodiscard]] size_t size() const { return runs_.size(); }

  // Looks at all of it (checked).
  void check() const;

 private:
  using Key = std::pair<int64_t, std::string>;  // {when it ended, the job}
  void erase(std::map<Key, std::string>::iterator run);

  int64_t retain_ms_;
  std::map<Key, std::string> runs_;  // Each as the bytes of its message: there may be thousands.
  std::map<std::string, int64_t> ended_at_ms_;  // By job.
  size_t bytes_ = 0;                            // Of all of them, as a message would have them.
};

// The run that a row is about, as nodes are told of it.
[[nodiscard]] pb::LiveJob run_of(const pb::JobRow& row);

}  // namespace muster::roles::server
