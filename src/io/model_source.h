#pragma once

#include <functional>
#include <string>

#include "base/file.h"
#include "base/result.h"
#include "wire/pb.h"

namespace muster::io {

// What goes on while a model is fetched.
struct Fetch {
  std::function<void(const std::string&)> say;  // Words about the progress.
  std::function<bool()> stopped;  // Asked every second or so: nobody wants the model any more.
};

// Finds a pinned model on this machine, and fetches it when it is not here. Blocks; may be slow.
class ModelSource {
 public:
  virtual ~ModelSource() = default;
  // kInterrupted soon after `fetch.stopped` has said so.
  virtual Result<Path> obtain(const pb::ModelPin& model, const Fetch& fetch) = 0;
};

}  // namespace muster::io
