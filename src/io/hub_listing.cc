#include "io/hub_listing.h"

#include <algorithm>
#include <set>

#include "base/hex.h"
#include "base/printable.h"
#include "host/model_directory.h"

namespace muster::io {
namespace {

constexpr int64_t kMostFileBytes = int64_t{1} << 40;  // Whose sums stay far below 2^64.

// What neither a path nor a URL takes for anything else.
bool is_word(const std::string& name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return letter || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

Result<HubFile> read_file_entry(const std::string& model, const std::string& name,
                                const Json& entry) {
  const Json& large = get_or_null(entry, "lfs");
  HubFile file;
  file.name = name;
  file.is_sha256 = large.is_object();
  file.hash = file.is_sha256 ? get_string(large, "sha256").value_or("")
                             : get_string(entry, "blobId").value_or("");
  if (!is_hex(file.hash, file.is_sha256 ? 64 : 40)) {
    return fail(Code::kTryLater, model + ": the Hub gave no hash for " + name);
  }
  const int64_t bytes = get_int(file.is_sha256 ? large : entry, "size").value_or(-1);
  if (bytes < 0 || bytes > kMostFileBytes) {
    return fail(Code::kTryLater, model + ": the Hub gave no size for " + name);
  }
  file.bytes = static_cast<uint64_t>(bytes);
  return file;
}

}  // namespace

uint64_t HubListing::bytes() const {
  uint64_t sum = 0;
  for (const auto* some : {&files, &shards}) {
    for (const HubFile& file : *some) sum += file.bytes;
  }
  return sum;
}

bool is_fetched(const std::string& name) {
  const bool is_other = name.ends_with(".safetensors") && !name.starts_with("model");
  return host::is_model_file(name) && !is_other && name.find('/') == std::string::npos;
}

Result<HubListing> read_hub_listing(const std::string& model, const Json& answer) {
  HubListing listing;
  listing.commit = get_string(answer, "sha").value_or("");
  if (!is_hex(listing.commit, 40)) return fail(Code::kTryLater, model + ": the Hub gave no commit");
  const Json& total = get_or_null(get_or_null(answer, "safetensors"), "total");
  if (total.is_number_unsigned()) listing.parameters = total.get<uint64_t>();
  std::set<std::string> names;
  for (const Json& entry : get_or_null(answer, "siblings")) {
    const std::string name = get_string(entry, "rfilename").value_or("");
    if (!is_fetched(name) || !is_word(name)) continue;
    if (!names.insert(name).second) {
      return fail(Code::kTryLater, model + ": the Hub lists " + name + " twice");
    }
    MUSTER_TRY(HubFile file, read_file_entry(model, name, entry));
    const bool is_shard = name.ends_with(".safetensors") && name != host::kWeights;
    (is_shard ? listing.shards : listing.files).push_back(std::move(file));
  }
  // One whole file counts before shards, as it does for transformers.
  if (names.contains(host::kWeights)) {
    listing.shards.clear();
  } else if (!names.contains(host::kWeightsIndex) || listing.shards.empty()) {
    return fail(Code::kUnsupported, model + ": the repository has neither " + host::kWeights +
                                        " nor shards with their index, and pickled weights are "
                                        "not read");
  }
  return listing;
}

Result<std::vector<HubFile>> shards_in_index(const std::string& model, std::string_view text,
                                             const HubListing& listing) {
  auto index = parse_json(text, kMaxListingBytes);
  if (!index) return fail(index.error().in(model + ": " + host::kWeightsIndex));
  std::set<std::string> wanted;
  for (const Json& shard : get_or_null(*index, "weight_map")) {
    if (shard.is_string()) wanted.insert(shard.get<std::string>());
  }
  std::vector<HubFile> used;
  for (const HubFile& shard : listing.shards) {
    if (wanted.erase(shard.name) > 0) used.push_back(shard);
  }
  if (wanted.empty()) return used;
  return fail(Code::kUnsupported, model + ": " + host::kWeightsIndex + " names " +
                                      printable(*wanted.begin(), 200) +
                                      ", which the repository does not have");
}

}  // namespace muster::io
