// Nothing that somebody sends leads out of the cache, or to a word that is no commit.
#include "io/hub.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "io/local_models.h"

namespace muster::io {
namespace {

constexpr char kCommit[] = "0123456789abcdef0123456789abcdef01234567";

class OfflineHub : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = Path(::testing::TempDir()) / ("hub-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    write(folder / "token", "hf_secret");
    write(top() / "refs/main", kCommit);
    write(top() / "refs/odd", "../../../token");
    write(top() / "snapshots" / kCommit / "config.json", "{}");
    HubSettings settings;
    settings.cache = folder / "hub";
    settings.offline = true;
    hub = std::make_unique<Hub>(settings);
  }
  void TearDown() override { std::filesystem::remove_all(folder); }

  [[nodiscard]] Path top() const { return folder / "hub/models--a--b"; }
  static void write(const Path& path, const std::string& text) {
    std::filesystem::create_directories(path.parent_path());
    ASSERT_TRUE(write_file_atomically(path, text));
  }
  Result<pb::ModelPin> pin(const std::string& model) {
    return hub->pin(model, [] { return false; });
  }
  static Result<Path> obtain(ModelSource& source, const std::string& name,
                             const std::string& commit, const std::string& path = "") {
    pb::ModelPin model;
    model.set_name(name);
    model.set_commit(commit);
    model.set_path(path);
    return source.obtain(model, {[](const std::string&) {}, [] { return false; }});
  }

  Path folder;
  std::unique_ptr<Hub> hub;
};

TEST_F(OfflineHub, PinsWhatARefOfTheCacheSays) {
  EXPECT_EQ(pin("a/b")->commit(), kCommit);
  EXPECT_EQ(pin(std::string("a/b@") + kCommit)->commit(), kCommit);
  EXPECT_EQ(pin("a/c").error().code, Code::kTryLater);
  EXPECT_EQ(*obtain(*hub, "a/b", kCommit), top() / "snapshots" / kCommit);
}

// The token of the machine once became the "commit" of the job, which everybody can read.
TEST_F(OfflineHub, GivesNoOtherFileAway) {
  for (const char* model : {"a/b@../../../token", "a/b@../../../../token", "../a", "a/..", "a/b@",
                            "a/b@/etc/passwd", "a/b@x/../../../../token"}) {
    const auto pinned = pin(model);
    ASSERT_FALSE(pinned) << model << " " << pinned->commit();
    EXPECT_EQ(pinned.error().code, Code::kUnsupported);
  }
  EXPECT_EQ(pin("a/b@odd").error().code, Code::kTryLater) << "a ref that holds no commit";
}

// A commit of 5,000 characters once ended every worker, again after each restart.
TEST_F(OfflineHub, ObtainsOnlyNamesAndCommits) {
  for (const std::string& commit :
       {std::string(5000, 'a'), std::string(64, 'a'), std::string("../../../../token"),
        std::string(), std::string(40, 'A'), std::string(kCommit) + "/.."}) {
    EXPECT_EQ(obtain(*hub, "a/b", commit).error().code, Code::kUnsupported) << commit;
  }
  for (const std::string& name : {std::string("a/../b"), std::string(5000, 'a') + "/b",
                                  std::string("/etc"), std::string("a/b\0c", 5)}) {
    EXPECT_EQ(obtain(*hub, name, kCommit).error().code, Code::kUnsupported);
  }
}

TEST_F(OfflineHub, ADirectoryIsNamedByADigestAndLooksNowhereElse) {
  LocalModels models(folder / "hub/models--a--b/snapshots");
  const std::string digest(64, 'a');
  EXPECT_EQ(obtain(models, "x", "short", "/nowhere").error().code, Code::kUnsupported);
  for (const std::string& name : {std::string("../refs"), std::string("/etc"), std::string(".."),
                                  std::string(kCommit), std::string(5000, 'n')}) {
    const auto got = obtain(models, name, digest, std::string(5000, '/') + "x");
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, Code::kNotFound);
    EXPECT_EQ(got.error().message.find("refs"), std::string::npos);
  }
}

}  // namespace
}  // namespace muster::io
