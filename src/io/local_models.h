#pragma once

#include <map>

#include "io/engine_process.h"

namespace muster::io {

// Models that are directories on this machine: under the path the researcher gave, else under
// --model_dir by name. Hashed once, remembered by the files' sizes and times.
class LocalModels final : public ModelSource {
 public:
  explicit LocalModels(Path model_dir) : model_dir_(std::move(model_dir)) {}
  // kNotFound "model not here" when no directory holds exactly the pinned files.
  Result<Path> obtain(const pb::ModelPin& model,
                      const std::function<void(const std::string&)>& say) override;

 private:
  Result<std::string> digest_of(const Path& directory);

  Path model_dir_;
  std::map<std::string, std::string> digests_;  // Path, sizes and times to digest.
};

}  // namespace muster::io
