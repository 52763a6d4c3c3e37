#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "wire/pb.h"

namespace muster::client {

// What a researcher asks for, in words.
struct RunOptions {
  std::string model;  // A directory, or ORG/NAME[@revision].
  std::vector<std::string> tasks;
  std::optional<double> limit;
  std::optional<int64_t> num_fewshot;
  std::string redundancy = "2";  // Votes each item wants, or "auto".
  double quorum_wait_seconds = 30;
  std::string username;
  bool force = false;
};

// Checks the words and turns them into a request: tasks and shots are known, a directory is a model
// that muster-engine reads, and is pinned by its bytes. kUnsupported or kNotFound says what cannot
// work.
Result<pb::JobRequest> make_request(const RunOptions& options);

}  // namespace muster::client
