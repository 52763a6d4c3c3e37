#pragma once

#include <chrono>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "eval/model_name.h"
#include "io/hub_listing.h"
#include "io/hub_settings.h"
#include "io/model_source.h"

namespace muster::io {

// The Hugging Face Hub, in its own cache layout: models--ORG--NAME/{blobs,refs,snapshots}, blobs
// named by hash, snapshots as links, .locks beside. Other tools share what is fetched.
//
// Only config.json, tokenizer files and the safetensors that count are fetched. Every file's size
// is checked, and its SHA-256 (large files) or git blob SHA-1 (the others), as the Hub gives them,
// also of a file that was in the cache before; a cache that is complete is not written to. Not safe
// for two threads, but for pin(). Names, revisions and commits are checked before they become a
// part of a path (eval/model_name.h), whoever sent them.
//
// refs/REVISION is written only for the revision that was asked for, and only once its snapshot is
// here: by pin(), which knows what was asked, and for main by obtain(), which asks the Hub.
class Hub final : public ModelSource {
 public:
  explicit Hub(HubSettings settings) : settings_(std::move(settings)) {}

  // Which commit ORG/NAME[@revision] means. kUnsupported: no such model, not one that the engine
  // reads, or too large. kPermission: gated or private. kTryLater: the Hub cannot be reached, or
  // has not answered by the deadline. kInterrupted soon after `stopped` has said so.
  Result<pb::ModelPin> pin(const std::string& model, const std::function<bool()>& stopped);

  // The snapshot folder of a pinned model, fetched where needed. Several processes of one machine
  // may call it at once: one fetches, the others wait.
  Result<Path> obtain(const pb::ModelPin& model, const Fetch& fetch) override;

 private:
  Result<HubListing> list(const std::string& name, const std::string& revision,
                          const std::function<bool()>& stopped);
  Result<std::string> get_text(const std::string& url, const std::string& what,
                               const std::function<bool()>& stopped);
  Result<pb::ModelPin> pin_offline(const eval::ModelName& model) const;
  Result<Path> obtain_offline(const pb::ModelPin& model);
  static Result<std::vector<HubFile>> used_shards(const std::string& name, const Path& snapshot,
                                                  const HubListing& listing);
  void note_main(const pb::ModelPin& model, const std::function<bool()>& stopped);
  void note_ref(const std::string& name, const std::string& revision, const std::string& commit);
  Status fetch(const std::string& name, const std::string& commit, const HubFile& file,
               const std::function<void(uint64_t)>& more, const std::function<bool()>& stopped);
  Status download(const std::string& url, const HubFile& file, const Path& blob, const Path& part,
                  const std::function<void(uint64_t)>& more, const std::function<bool()>& stopped);
  Status link(const Path& blob, const Path& path) const;
  bool is_right(const Path& path, const HubFile& file);
  [[nodiscard]] Path folder(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> headers() const;

  HubSettings settings_;
  std::set<std::string> right_;  // Files by hash and state, whose bytes are those of the hash.
};

}  // namespace muster::io
