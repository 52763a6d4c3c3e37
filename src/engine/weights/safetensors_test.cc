// A header from outside is believed only as far as the file's bytes bear it out.
#include "engine/weights/safetensors.h"

#include <gtest/gtest.h>

#include <cstring>

namespace muster::engine {
namespace {

std::string file_of(const std::string& header, size_t data_bytes) {
  const uint64_t size = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &size, 8);
  return bytes + header + std::string(data_bytes, 'x');
}

TEST(Safetensors, ReadsShapeTypeAndBytes) {
  const std::string file = file_of(
      R"({"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}})",
      24);
  auto tensors = read_safetensors(file);
  ASSERT_TRUE(tensors) << tensors.error().message;
  EXPECT_EQ(tensors->at("w").elements(), 6);
  EXPECT_EQ(tensors->at("w").bytes.size(), 24u);
}

struct BadFile {
  const char* name;
  std::string bytes;
};

TEST(Safetensors, RefusesEveryBrokenFile) {
  const std::string good = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const BadFile files[] = {
      {"empty", ""},
      {"header cut", file_of(good, 8).substr(0, 20)},
      {"data cut", file_of(good, 7)},
      {"header not JSON", file_of("{", 8)},
      {"header a list", file_of("[]", 8)},
      {"shape too large", file_of(R"({"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8)},
      {"shape overflows",
       file_of(R"({"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8)},
      {"negative", file_of(R"({"w":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8)},
      {"backwards", file_of(R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8)},
      {"overlap", file_of(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                          R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                          12)},
      {"huge header", std::string("\xff\xff\xff\xff\xff\xff\xff\x7f", 8)},
  };
  for (const BadFile& file : files) {
    auto read = read_safetensors(file.bytes);
    ASSERT_FALSE(read) << file.name;
    EXPECT_EQ(read.error().code, Code::kDataLoss) << file.name;
  }
}

}  // namespace
}  // namespace muster::engine
