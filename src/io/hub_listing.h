#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace muster::io {

// A file of a repository, as the Hub describes it. Its name has letters, digits and "._-"; files
// with another one are passed over.
struct HubFile {
  std::string name;
  uint64_t bytes = 0;
  std::string hash;        // Hex; names the blob.
  bool is_sha256 = false;  // Else a git blob SHA-1, which covers a header before the bytes:
  [[nodiscard]] std::string header() const {
    return is_sha256 ? "" : "blob " + std::to_string(bytes) + std::string(1, '\0');
  }
};

// What is used of a repository at one commit; each name stands once.
struct HubListing {
  std::string commit;
  uint64_t parameters = 0;      // 0: the Hub does not say.
  std::vector<HubFile> files;   // All that is used, but
  std::vector<HubFile> shards;  // of these only what the index names, which is one of the files.

  [[nodiscard]] uint64_t bytes() const;  // Of both.
};

// Whether a file of this name is fetched: config.json, the tokenizer's, weights and their index.
bool is_fetched(const std::string& name);

// The Hub's answer about `model`. kTryLater: it is not what the Hub answers, for a commit, a size
// or a hash is missing, or is none. kUnsupported: the repository has no weights that are read.
Result<HubListing> read_hub_listing(const std::string& model, const Json& answer);

// Of a model in shards, those that its index names, and no others. kUnsupported when it names one
// that is not there; kDataLoss when it cannot be read.
Result<std::vector<HubFile>> shards_in_index(const std::string& model, std::string_view index,
                                             const HubListing& listing);

// The most that is read of a listing, and of an index.
constexpr size_t kMaxListingBytes = 16u << 20;

}  // namespace muster::io
