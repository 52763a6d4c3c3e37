#include "io/local_models.h"

#include <sys/stat.h>

#include "base/printable.h"
#include "eval/model_name.h"
#include "host/model_directory.h"

namespace muster::io {

// A name from somewhere else leads nowhere but below --model_dir.
static bool is_one_folder(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos;
}

Result<std::string> LocalModels::digest_of(const Path& directory) {
  MUSTER_TRY(const auto files, host::model_files(directory));
  std::string key;
  for (const Path& path : files) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return fail(Code::kDisk, path.string());
    key += path.string() + " " + std::to_string(status.st_size) + " " +
           std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) +
           "\n";
  }
  auto found = digests_.find(key);
  if (found == digests_.end()) {
    MUSTER_TRY(const auto pin, host::pin_directory(directory));
    found = digests_.emplace(key, pin.commit()).first;
  }
  return found->second;
}

Result<Path> LocalModels::obtain(const pb::ModelPin& model, const Fetch& fetch) {
  if (!eval::is_directory_digest(model.commit())) {
    return fail(Code::kUnsupported, "the pin of " + printable(model.path(), 200) + " is no digest");
  }
  std::vector<Path> places = {Path(model.path())};
  if (!model_dir_.empty() && is_one_folder(model.name())) {
    places.push_back(model_dir_ / model.name());
  }
  std::string tried;
  for (const Path& place : places) {
    fetch.say("checking the model's files");
    const auto digest = digest_of(place);
    if (digest && *digest == model.commit()) return place;
    tried += (tried.empty() ? "" : ", ") + place.string() + (digest ? " (another version)" : "");
  }
  return fail(Code::kNotFound, "model not here: looked at " + tried);
}

}  // namespace muster::io
