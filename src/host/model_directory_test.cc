// Every file that may decide a model's answers is in its pin.
#include "host/model_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <set>

namespace muster::host {
namespace {

class ModelDirectory : public ::testing::Test {
 protected:
  ModelDirectory() : folder(Path(::testing::TempDir()) / ("model-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
  }
  ~ModelDirectory() override { std::filesystem::remove_all(folder); }
  std::string commit_with(const std::string& name, const std::string& bytes) const {
    EXPECT_TRUE(write_file_atomically(folder / name, bytes));
    const auto pin = pin_directory(folder);
    return pin ? pin->commit() : pin.error().message;
  }

  const Path folder;
};

TEST_F(ModelDirectory, APinCoversEveryFileThatCounts) {
  EXPECT_EQ(pin_directory(folder).error().code, Code::kNotFound);
  std::set<std::string> commits;
  size_t count = 0;
  for (const char* name : {"config.json", "tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "added_tokens.json", "model.safetensors",
                           "model.safetensors.index.json", "model-00001-of-00002.safetensors"}) {
    for (const char* bytes : {"one", "two"}) {
      commits.insert(commit_with(name, bytes));
      EXPECT_EQ(commits.size(), ++count) << name;
    }
  }
  commits.insert(commit_with("README.md", "words"));
  EXPECT_EQ(commits.size(), count);
}

}  // namespace
}  // namespace muster::host
