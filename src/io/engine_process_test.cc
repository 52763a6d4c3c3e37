// A model may take longer to load than a lease lasts: its load is never lost, whoever waits for it
// hears that it goes on, and nobody waits for a model that is of no use any more.
#include "io/engine_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "io/collecting_inbox.h"

namespace muster::io {
namespace {

// Every model is here, but "slow" is fetched until nobody wants it, and "odd" throws.
class Source final : public ModelSource {
 public:
  Result<Path> obtain(const pb::ModelPin& model, const Fetch& fetch) override {
    if (model.commit() == "odd") throw std::runtime_error("an odd\nmodel");
    if (model.commit() == "slow") {
      fetch.say("fetching");
      while (!fetch.stopped()) std::this_thread::yield();
      return fail(Code::kInterrupted, "stopped");
    }
    return Path("/nowhere") / model.commit();
  }
};

class EngineProcessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder = Path(::testing::TempDir()) / ("engine-" + std::to_string(::getpid()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    ::setenv("MUSTER_STAND_IN", folder.c_str(), 1);
    engine = std::make_unique<EngineProcess>(
        EngineProcess::Options{Path(MUSTER_SOURCE_DIR) / "tests/pool/stand_in_engine.py", 1},
        source, answers);
  }
  void TearDown() override {
    engine.reset();
    std::filesystem::remove_all(folder);
  }

  // Makes the stand-in's loads or scores end only when they are let go.
  void hold(const char* what) const { ASSERT_EQ(::mkfifo((folder / what).c_str(), 0600), 0); }
  // Blocks until the stand-in is at it.
  [[nodiscard]] int wait_for(const char* what) const {
    return ::open((folder / what).c_str(), O_WRONLY | O_CLOEXEC);
  }
  static void let_go(int held, std::string_view words = "") {
    EXPECT_EQ(::write(held, words.data(), words.size()), static_cast<ssize_t>(words.size()));
    ::close(held);
  }
  [[nodiscard]] size_t starts() const { return read_file(folder / "starts", 1000)->size() / 6; }

  void load(const std::string& commit) {
    pb::ModelPin pin;
    pin.set_commit(commit);
    engine->load(pb::ROLE_WORKER, {pin});
  }
  void score(uint64_t id) { engine->score(pb::ROLE_WORKER, {id, {{"a", "b"}}}); }
  // The next event that is a T; what comes before it is progress.
  template <typename T>
  T wait() {
    while (true) {
      auto event = answers.wait_any();
      if (auto* wanted = std::get_if<T>(&event)) return *wanted;
      EXPECT_TRUE(std::holds_alternative<roles::ModelLoading>(event) ||
                  std::holds_alternative<roles::Scoring>(event));
    }
  }
  void load_first() {
    load("first");
    ASSERT_TRUE(wait<roles::ModelLoaded>().numeric_class);
  }

  Path folder;
  Source source;
  CollectingInbox answers;
  std::unique_ptr<EngineProcess> engine;
};

TEST_F(EngineProcessTest, AfterACrashTheModelIsLoadedAgainAndWhoeverWaitsHearsSo) {
  load_first();
  hold("load");
  hold("score");
  score(1);
  let_go(wait_for("score"), "crash");
  EXPECT_FALSE(wait<roles::ItemScored>().scores);
  const int loading = wait_for("load");  // Before anybody has asked for another item.
  score(2);
  for (int second = 0; second < 3; ++second) EXPECT_EQ(wait<roles::Scoring>().id, 2u);
  let_go(loading);
  let_go(wait_for("score"));
  const auto scored = wait<roles::ItemScored>();
  EXPECT_EQ(scored.id, 2u);
  EXPECT_TRUE(scored.scores);
  EXPECT_EQ(starts(), 2u);
}

TEST_F(EngineProcessTest, AWithdrawnItemCostsNoLoadThatIsUnderWay) {
  load_first();
  hold("load");
  hold("score");
  score(1);
  const int scoring = wait_for("score");
  engine->stop_scoring();  // Ends the child, and the next one loads without being asked.
  ::close(scoring);
  int loading = wait_for("load");
  for (const uint64_t id : {2, 3, 4}) {
    score(id);
    EXPECT_EQ(wait<roles::Scoring>().id, id);
    engine->stop_scoring();
  }
  score(5);
  let_go(loading);
  let_go(wait_for("score"));
  EXPECT_EQ(wait<roles::ItemScored>().id, 5u) << "those that were withdrawn are not answered";
  EXPECT_EQ(starts(), 2u);
}

TEST_F(EngineProcessTest, AModelThatNobodyWantsAnyMoreKeepsNobodyWaiting) {
  load("slow");
  wait<roles::ModelLoading>();
  load("first");
  const auto first = wait<roles::ModelLoaded>();
  EXPECT_EQ(first.commit, "first") << "the slow one needs no answer";
  EXPECT_TRUE(first.numeric_class);

  hold("load");
  load("second");
  ::close(wait_for("load"));
  EXPECT_TRUE(wait<roles::ModelLoaded>().numeric_class);
  load("third");
  const int third = wait_for("load");
  load("fourth");  // The child that loads the third is ended.
  ::close(third);
  while (wait<roles::ModelLoading>().commit != "fourth") {
  }
  ::close(wait_for("load"));
  const auto fourth = wait<roles::ModelLoaded>();
  EXPECT_EQ(fourth.commit, "fourth");
  EXPECT_TRUE(fourth.numeric_class);
  load("slow");
  wait<roles::ModelLoading>();
  engine.reset();  // Does not wait for it either.
}

TEST_F(EngineProcessTest, ItemsOnTopOfTheBoundAreAnsweredAtOnce) {
  load_first();
  hold("load");
  hold("score");
  score(1);
  const int scoring = wait_for("score");
  for (uint64_t id = 2; id <= EngineProcess::kMostWaiting + 2; ++id) score(id);
  const auto refused = wait<roles::ItemScored>();
  EXPECT_EQ(refused.id, EngineProcess::kMostWaiting + 2);
  EXPECT_EQ(refused.scores.error().code, Code::kTryLater);
  engine->stop_scoring();
  ::close(scoring);
  let_go(wait_for("load"));  // Of the next child: the one that scored is gone.
  score(1000);
  let_go(wait_for("score"));
  EXPECT_EQ(wait<roles::ItemScored>().id, 1000u) << "there is room again";
}

TEST_F(EngineProcessTest, WhatIsThrownIsAnAnswer) {
  load("odd");
  EXPECT_EQ(wait<roles::ModelLoaded>().numeric_class.error().message, "an odd model");
  load_first();
  score(1);
  EXPECT_TRUE(wait<roles::ItemScored>().scores);
}

}  // namespace
}  // namespace muster::io
