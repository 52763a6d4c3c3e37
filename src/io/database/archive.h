#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/database/connection.h"
#include "wire/pb.h"

namespace muster::io {

// What a pool's database tells people: pages of rows that the server wrote, never all of them.
// Reads only, beside the server.
//
// Calls are one after the other, each for kPatience at most. kUnavailable: the database is away,
// hangs, or no server has begun a pool of this schema there yet; kUnsupported: it is a newer one's;
// kDisk: a row cannot be read. Thread-safe.
class Archive {
 public:
  static constexpr std::chrono::seconds kPatience{5};
  static constexpr size_t kMostRuns = 100;

  explicit Archive(DatabaseAddress address) : address_(std::move(address)) {}

  // By what rows are listed, the latest first: where a page ends.
  struct Place {
    int64_t ms = 0;  // Unix time.
    std::string job;
    uint64_t number = 0;  // Of the run, or of the reason.
  };
  // What is listed; empty: whatever there is.
  struct Filter {
    std::vector<std::string> states;  // By their words (wire/job_state.h).
    std::string model;                // By its whole name.
    std::string commit;               // Of the model: the whole.
    std::string task;                 // That is among a run's.
    std::string text;                 // In the model's name, or at the beginning of the job's.
  };

  Result<pb::PoolRow> pool();
  // Accepted before `before`.
  Result<std::vector<pb::JobRow>> runs(const Filter& filter, const std::optional<Place>& before,
                                       size_t most);
  // Of one job, the latest first, kMostRuns of them.
  Result<std::vector<pb::JobRow>> runs_of(const std::string& job);
  // Without a number the latest. None: there is no such run.
  Result<std::optional<pb::JobRow>> run(const std::string& job, std::optional<uint32_t> number);
  struct Count {
    std::string state;
    int64_t runs = 0;
  };
  Result<std::vector<Count>> count_runs();
  // Done ones that ended behind `after`, in order of that.
  Result<std::vector<pb::JobRow>> done_runs(const Place& after, size_t most);
  // The latest first, of those below this number.
  Result<std::vector<pb::Reason>> reasons(const std::string& job, uint32_t run, int64_t before,
                                          size_t most);
  // The same of a machine, whatever run it was about.
  Result<std::vector<pb::Reason>> reasons_about(const std::string& machine,
                                                const std::optional<Place>& before, size_t most);

 private:
  // Rows of a table, as their messages.
  struct Question {
    std::string table, where, order;
    std::vector<std::string> values;  // Of the placeholders in `where`.
    size_t most = 0;
  };
  template <typename Message>
  Result<std::vector<Message>> read(const Question& question);
  Status ask(const std::function<Status(Connection&)>& work);
  Status connect();

  const DatabaseAddress address_;
  std::mutex mutex_;  // Guards what follows.
  std::unique_ptr<Connection> connection_;
};

}  // namespace muster::io
