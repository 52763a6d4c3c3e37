// What a Hub says of a repository is believed only where it can be so.
#include "io/hub_listing.h"

#include <gtest/gtest.h>

namespace muster::io {
namespace {

const std::string kCommit(40, 'c'), kBlob(40, 'b'), kSha256(64, 'a');

Json plain(const std::string& name, const Json& size = 7) {
  return {{"rfilename", name}, {"size", size}, {"blobId", kBlob}};
}
Json large(const std::string& name, const Json& size = 7) {
  return {{"rfilename", name}, {"size", size}, {"lfs", {{"sha256", kSha256}, {"size", size}}}};
}
Result<HubListing> read(const std::vector<Json>& siblings) {
  return read_hub_listing("lab/tiny", {{"sha", kCommit}, {"siblings", siblings}});
}

TEST(HubListing, HasWhatIsUsed) {
  const auto whole = read({plain("config.json"), large("model.safetensors"),
                           large("model-1.safetensors"), plain("README.md")});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->files.size(), 2u);
  EXPECT_TRUE(whole->shards.empty());
  const auto cut = read({plain("model.safetensors.index.json"), large("model-1.safetensors"),
                         large("model-2.safetensors"), large("other.safetensors")});
  ASSERT_TRUE(cut) << cut.error().message;
  EXPECT_EQ(cut->shards.size(), 2u);
  EXPECT_EQ(cut->bytes(), 21u);
  const auto used =
      shards_in_index("lab/tiny", R"({"weight_map":{"w":"model-2.safetensors"}})", *cut);
  ASSERT_TRUE(used && used->size() == 1);
  EXPECT_EQ((*used)[0].name, "model-2.safetensors");
}

// -1 became 2^64 - 1 bytes, and with another file's 5 a model of one parameter.
TEST(HubListing, RefusesASizeThatIsNone) {
  for (const Json& size :
       {Json(-1), Json(), Json("7"), Json(7.0), Json(int64_t{1} << 41), Json(UINT64_MAX)}) {
    for (const Json& file : {plain("config.json", size), large("model.safetensors", size)}) {
      const auto listing = read({large("model.safetensors"), file});
      ASSERT_FALSE(listing) << file;
      EXPECT_EQ(listing.error().code, Code::kTryLater) << file;
    }
  }
}

TEST(HubListing, RefusesAFileThatStandsTwice) {
  const auto listing = read({large("model.safetensors"), large("model.safetensors", 9)});
  ASSERT_FALSE(listing);
  EXPECT_EQ(listing.error().message, "lab/tiny: the Hub lists model.safetensors twice");
}

// A path ends at its zero byte, a URL at a question mark.
TEST(HubListing, PassesOverNamesThatAreMoreThanAName) {
  for (const char* name : {"model/x.safetensors", "model?x.safetensors", "model%2f.safetensors",
                           "model x.safetensors", "model\n.safetensors"}) {
    EXPECT_TRUE(read({large("model.safetensors"), large(name)})->shards.empty());
    EXPECT_EQ(read({plain("model.safetensors.index.json"), large(name)}).error().code,
              Code::kUnsupported)
        << name;
  }
  EXPECT_EQ(
      read({plain("model.safetensors.index.json"), large(std::string("model\0x.safetensors", 19))})
          .error()
          .code,
      Code::kUnsupported);
}

}  // namespace
}  // namespace muster::io
