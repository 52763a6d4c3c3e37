// What a Hub says a repository has, and behind a zero byte the index of its shards
// (io/hub_listing.h). What is let in has a commit; files that each stand once, with a name that
// stays in its folder and in its place in a URL, a hash and a size; one whole file of weights, or
// shards and their index; and a sum of bytes that has not run over. Of the shards those are used
// that the index names.
#include "io/hub_listing.h"

#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/file.h"
#include "input.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

using io::HubFile;
using io::HubListing;

constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 100;

bool is_hex(const std::string& text) {
  return text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

void check_file(const HubFile& file) {
  const Path path = Path("/cache") / file.name;
  MUSTER_CHECK(path.lexically_normal() == path && path.parent_path() == "/cache");
  MUSTER_CHECK(std::string(path.c_str()) == "/cache/" + file.name);
  const auto ends_a_url = [](unsigned char c) {
    return c <= 0x20 || c >= 0x7f ||
           std::string_view("?#%&\\\"").find(static_cast<char>(c)) != std::string_view::npos;
  };
  MUSTER_CHECK(std::none_of(file.name.begin(), file.name.end(), ends_a_url));
  MUSTER_CHECK(file.hash.size() == (file.is_sha256 ? 64 : 40) && is_hex(file.hash));
}

void check_listing(const HubListing& listing) {
  MUSTER_CHECK(listing.commit.size() == 40 && is_hex(listing.commit));
  std::set<std::string> names;
  long double bytes = 0;
  for (const auto* files : {&listing.files, &listing.shards}) {
    for (const HubFile& file : *files) {
      check_file(file);
      MUSTER_CHECK(names.insert(file.name).second);
      bytes += static_cast<long double>(file.bytes);
    }
  }
  MUSTER_CHECK(static_cast<long double>(listing.bytes()) == bytes);
  const bool is_whole = names.contains("model.safetensors");
  MUSTER_CHECK(is_whole == listing.shards.empty());
  MUSTER_CHECK(is_whole || names.contains("model.safetensors.index.json"));
}

void check_shards(std::string_view index, const HubListing& listing) {
  const auto used = io::shards_in_index("a/b", index, listing);
  if (!used) return;
  std::set<std::string> named;
  const Json read = Json::parse(index, nullptr, false);
  for (const Json& name : get_or_null(read, "weight_map")) {
    if (name.is_string()) named.insert(name.get<std::string>());
  }
  MUSTER_CHECK(used->size() == named.size());
  for (const HubFile& file : *used) MUSTER_CHECK(named.contains(file.name));
}

}  // namespace

void run(std::string_view input) {
  Input in(input);
  const std::string_view text = in.text();
  const auto answer = parse_json(text, io::kMaxListingBytes);
  if (!answer) return;
  Result<HubListing> listing;
  const size_t memory = peak_bytes([&] { listing = io::read_hub_listing("a/b", *answer); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * text.size());
  if (!listing) {
    const Code code = listing.error().code;
    MUSTER_CHECK(code == Code::kTryLater || code == Code::kUnsupported);
    return;
  }
  check_listing(*listing);
  check_shards(in.rest(), *listing);
}

std::vector<std::string> seeds() {
  const auto file = [](const char* name, bool is_large) {
    Json out = {{"rfilename", name}, {"size", 1234}, {"blobId", std::string(40, 'b')}};
    if (is_large) out["lfs"] = {{"sha256", std::string(64, 'a')}, {"size", 56789}};
    return out;
  };
  const auto answer = [](const Json& siblings) {
    const Json all = {{"sha", std::string(40, 'c')},
                      {"siblings", siblings},
                      {"safetensors", {{"total", 14067712}}}};
    return all.dump();
  };
  const std::string index =
      std::string(1, '\0') +
      R"({"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors","c":"model-1.safetensors"}})";
  return {answer({file("config.json", false), file("model.safetensors", true),
                  file("tokenizer.json", true), file("README.md", false)}),
          answer({file("model.safetensors.index.json", false), file("model-1.safetensors", true),
                  file("model-2.safetensors", true), file("model-3.safetensors", true)}) +
              index,
          answer({file("model/../x.safetensors", true), file("pytorch_model.bin", true)})};
}

std::vector<std::string> words() {
  return {"\"sha\":",
          "\"siblings\":[",
          "\"rfilename\":\"model",
          ".safetensors\"",
          "\"size\":",
          "\"blobId\":",
          "\"lfs\":{",
          "\"sha256\":",
          "\\u0000",
          "9223372036854775807",
          "..",
          "?",
          "\"weight_map\":{",
          "config.json",
          "%2f"};
}

}  // namespace muster::fuzz
