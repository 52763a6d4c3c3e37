// The index of weights in shards names files beside it, and nothing else.
#include "engine/weights/checkpoint.h"

#include <gtest/gtest.h>

namespace muster::engine {
namespace {

TEST(CheckpointIndex, SaysWhichTensorsCountOfWhichFile) {
  const auto files = read_checkpoint_index(
      R"({"weight_map":{"a":"2.safetensors","b":"1.safetensors","c":"2.safetensors"}})");
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 2u);
  EXPECT_EQ((*files)[0].name, "1.safetensors");
  EXPECT_EQ((*files)[1].tensors, (std::set<std::string>{"a", "c"}));
}

// What follows a zero byte was cut off when the file was opened: two names were one file.
TEST(CheckpointIndex, RefusesWhatIsNoNameOfAFileBesideIt) {
  for (const char* name :
       {R"("")", R"(".")", R"("..")", R"("../x")", R"("x/y")", R"("x\u0000y")", "7", "null"}) {
    const auto files = read_checkpoint_index(R"({"weight_map":{"w":)" + std::string(name) + "}}");
    ASSERT_FALSE(files) << name;
    EXPECT_EQ(files.error().code, Code::kDataLoss) << name;
  }
}

}  // namespace
}  // namespace muster::engine
