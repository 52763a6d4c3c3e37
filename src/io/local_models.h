#pragma once

#include <map>

#include "io/hub.h"
#include "io/model_source.h"

namespace muster::io {

// Models that are directories on this machine: under the path the researcher gave, else under
// --model_dir by name. Hashed once, remembered by the files' sizes and times.
class LocalModels final : public ModelSource {
 public:
  explicit LocalModels(Path model_dir) : model_dir_(std::move(model_dir)) {}
  // kNotFound "model not here" when no directory holds exactly the pinned files; kUnsupported when
  // the pin is none.
  Result<Path> obtain(const pb::ModelPin& model, const Fetch& fetch) override;

 private:
  Result<std::string> digest_of(const Path& directory);

  Path model_dir_;
  std::map<std::string, std::string> digests_;  // Path, sizes and times to digest.
};

// Every model: a directory on this machine, or one of the Hub's.
class Models final : public ModelSource {
 public:
  Models(Path model_dir, HubSettings hub) : local_(std::move(model_dir)), hub_(std::move(hub)) {}
  Result<Path> obtain(const pb::ModelPin& model, const Fetch& fetch) override {
    return model.path().empty() ? hub_.obtain(model, fetch) : local_.obtain(model, fetch);
  }

 private:
  LocalModels local_;
  Hub hub_;
};

}  // namespace muster::io
