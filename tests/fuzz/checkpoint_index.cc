// The index of weights in shards (engine/weights/checkpoint.h). Whatever is let in names files
// beside it, each once and in order, by names that end where a path ends; together they have every
// tensor that it lists, and no other.
#include "engine/weights/checkpoint.h"

#include "base/check.h"
#include "base/json.h"
#include "memory.h"
#include "target.h"

namespace muster::fuzz {
namespace {

constexpr size_t kMemory = 64 << 10, kMemoryPerByte = 100;

void check_files(std::string_view text, const std::vector<engine::CheckpointFile>& files) {
  const Json index = Json::parse(text, nullptr, false);
  const Json& map = index["weight_map"];
  size_t tensors = 0;
  const std::string* before = nullptr;
  for (const engine::CheckpointFile& file : files) {
    MUSTER_CHECK(before == nullptr || *before < file.name);
    before = &file.name;
    const Path path = Path("/models") / file.name;
    MUSTER_CHECK(path.lexically_normal().parent_path() == "/models" && path.has_filename());
    MUSTER_CHECK(std::string(path.c_str()) == "/models/" + file.name);
    MUSTER_CHECK(!file.tensors.empty());
    for (const std::string& tensor : file.tensors) MUSTER_CHECK(map.at(tensor) == file.name);
    tensors += file.tensors.size();
  }
  MUSTER_CHECK(tensors == map.size() && tensors > 0);
}

}  // namespace

void run(std::string_view input) {
  Result<std::vector<engine::CheckpointFile>> files;
  const size_t memory = peak_bytes([&] { files = engine::read_checkpoint_index(input); });
  MUSTER_CHECK(memory <= kMemory + kMemoryPerByte * input.size());
  if (files) return check_files(input, *files);
  MUSTER_CHECK(files.error().code == Code::kDataLoss);
}

std::vector<std::string> seeds() {
  return {
      R"({"metadata":{"total_size":16},"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}})",
      R"({"weight_map":{"a":"x","b":"x","c":"x"}})", R"({"weight_map":{}})",
      R"({"weight_map":{"a":"../x"}})", R"({"weight_map":{"":"é"}})"};
}

std::vector<std::string> words() {
  return {"\"weight_map\":{", "\"..\"", "\"x/y\"", "\\u0000", "\\u002f", "\".\"", "/", "\"\""};
}

}  // namespace muster::fuzz
