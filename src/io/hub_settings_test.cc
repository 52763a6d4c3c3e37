// The Hub's variables, as huggingface_hub reads them.
#include "io/hub_settings.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

namespace muster::io {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr const char* kNames[] = {"HF_HOME",
                                  "HF_HUB_CACHE",
                                  "HUGGINGFACE_HUB_CACHE",
                                  "XDG_CACHE_HOME",
                                  "HF_TOKEN",
                                  "HF_TOKEN_PATH",
                                  "HUGGING_FACE_HUB_TOKEN",
                                  "HF_HUB_OFFLINE",
                                  "HF_ENDPOINT",
                                  "TRANSFORMERS_OFFLINE",
                                  "HF_HUB_DISABLE_IMPLICIT_TOKEN",
                                  "HF_HUB_DISABLE_SYMLINKS"};

class Settings : public ::testing::Test {
 protected:
  Settings() : folder(Path(::testing::TempDir()) / ("hub-settings-" + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder);
  }
  ~Settings() override {
    with({});
    std::filesystem::remove_all(folder);
  }
  Result<HubSettings> with(const Variables& variables) const {
    for (const char* name : kNames) ::unsetenv(name);
    ::setenv("HOME", folder.c_str(), 1);
    for (const auto& [name, value] : variables) ::setenv(name.c_str(), value.c_str(), 1);
    return HubSettings::from_environment();
  }
  std::string token(const Variables& variables) const {
    const auto settings = with(variables);
    return settings ? settings->token : settings.error().message;
  }

  const Path folder;
};

TEST_F(Settings, TheCacheIsWhereTheHubsToolsHaveIt) {
  const std::pair<Variables, Path> cases[] = {
      {{}, folder / ".cache/huggingface/hub"},
      {{{"XDG_CACHE_HOME", "/x"}}, "/x/huggingface/hub"},
      {{{"HF_HOME", "~/hf"}, {"XDG_CACHE_HOME", "/x"}}, folder / "hf/hub"},
      {{{"HUGGINGFACE_HUB_CACHE", "/old"}, {"HF_HOME", "/hf"}}, "/old"},
      {{{"HF_HUB_CACHE", "$HOME/a"}, {"HUGGINGFACE_HUB_CACHE", "/old"}}, folder / "a"},
      {{{"HF_HUB_CACHE", "${HF_HOME}x/$NOT_SET/$"}, {"HF_HOME", "/hf"}}, "/hfx/$NOT_SET/$"},
      {{{"HF_HUB_CACHE", ""}, {"HF_HOME", ""}}, folder / ".cache/huggingface/hub"},
  };
  for (const auto& [variables, cache] : cases) EXPECT_EQ(with(variables)->cache, cache);
}

TEST_F(Settings, TruthHasItsWordsInAnyCase) {
  for (const char* word : {"1", "on", "Yes", "TRUE", "true", "True"}) {
    EXPECT_TRUE(with({{"HF_HUB_OFFLINE", word}})->offline) << word;
  }
  for (const char* word : {"0", "off", "no", "false", "2", " 1", "y"}) {
    EXPECT_FALSE(with({{"HF_HUB_OFFLINE", word}})->offline) << word;
  }
  EXPECT_TRUE(with({{"TRANSFORMERS_OFFLINE", "1"}})->offline);
  EXPECT_FALSE(with({{"TRANSFORMERS_OFFLINE", "1"}, {"HF_HUB_OFFLINE", "0"}})->offline);
  EXPECT_TRUE(with({{"HF_HUB_DISABLE_SYMLINKS", "yes"}})->no_links);
}

TEST_F(Settings, ATokenIsStrippedAndMayStandInAFile) {
  ASSERT_TRUE(write_file_atomically(folder / "token", "hf_file\r\n"));
  EXPECT_EQ(token({{"HF_TOKEN", " hf_a\n"}, {"HUGGING_FACE_HUB_TOKEN", "hf_b"}}), "hf_a");
  EXPECT_EQ(token({{"HUGGING_FACE_HUB_TOKEN", "hf_b"}}), "hf_b");
  EXPECT_EQ(token({{"HF_HOME", "~"}}), "hf_file");
  EXPECT_EQ(token({{"HF_TOKEN_PATH", "~/token"}, {"HF_HOME", "/nowhere"}}), "hf_file");
  EXPECT_EQ(token({{"HF_TOKEN", "hf_a"}, {"HF_HUB_DISABLE_IMPLICIT_TOKEN", "1"}}), "");
  for (const char* bad : {"hf a", "hf_\x01", "hf_\xC3\xBC"}) {
    EXPECT_EQ(with({{"HF_TOKEN", bad}}).error().code, Code::kInvalidArgument) << bad;
  }
}

TEST_F(Settings, AnEndpointHasNoSlashAtItsEnd) {
  EXPECT_EQ(with({{"HF_ENDPOINT", "http://mirror//"}})->endpoint, "http://mirror");
}

}  // namespace
}  // namespace muster::io
