#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/result.h"
#include "io/engine_process.h"

namespace muster::io {

// How the Hub is reached and where its cache is: HF_ENDPOINT, HF_TOKEN (else $HF_HOME/token),
// HF_HUB_CACHE (else $HF_HOME/hub, else ~/.cache/huggingface/hub), HF_HUB_OFFLINE.
struct HubSettings {
  std::string endpoint, token;
  Path cache;
  bool offline = false;
  static HubSettings from_environment();
};

// The Hugging Face Hub, in its own cache layout: models--ORG--NAME/{blobs,refs,snapshots}, blobs
// named by hash, snapshots as links, .locks beside. Other tools share what is fetched.
//
// Only config.json, tokenizer files and safetensors are fetched. Every file's size is checked, and
// its SHA-256 (large files) or git blob SHA-1 (the others), as the Hub gives them.
class Hub final : public ModelSource {
 public:
  explicit Hub(HubSettings settings) : settings_(std::move(settings)) {}

  // Which commit ORG/NAME[@revision] means. kUnsupported: no such model, not one that the engine
  // reads, or too large. kPermission: gated or private. kTryLater: the Hub cannot be reached.
  Result<pb::ModelPin> pin(const std::string& model);

  // The snapshot folder of a pinned model, fetched where needed. Several processes of one machine
  // may call it at once: one fetches, the others wait.
  Result<Path> obtain(const pb::ModelPin& model,
                      const std::function<void(const std::string&)>& say) override;

 private:
  struct File {
    std::string name;
    uint64_t bytes = 0;
    std::string hash;        // Hex; names the blob.
    bool is_sha256 = false;  // Else a git blob SHA-1.
  };
  struct Listing {
    std::string commit;
    uint64_t parameters = 0;  // 0: the Hub does not say.
    std::vector<File> files;
  };
  Result<Listing> list(const std::string& name, const std::string& revision);
  Result<Listing> read_listing(const std::string& name, const Json& answer);
  Result<std::string> get_text(const std::string& url, const std::string& what);
  Status fetch(const std::string& name, const std::string& commit, const File& file,
               const std::function<void(uint64_t)>& more);
  Status download(const std::string& url, const File& file, const Path& blob,
                  const std::function<void(uint64_t)>& more);
  Status link(const std::string& name, const std::string& commit, const File& file);
  [[nodiscard]] Path folder(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> headers() const;

  HubSettings settings_;
};

}  // namespace muster::io
