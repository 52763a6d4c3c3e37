// Runs the interaction scripts of this folder: a line that begins with ">" is a command, what
// follows up to the next command is what it must print. MUSTER_REWRITE=1 writes what it did print.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "interaction/commands.h"

namespace muster::interaction {
namespace {

// Who is restarted before each command of a replay.
enum class Restarted { kNobody, kStorage, kServer, kCoordinator };

void restart(Stage& stage, Restarted who) {
  if (who == Restarted::kStorage) return stage.rebuild_storage();
  const std::string name = who == Restarted::kServer ? "server" : "c1";
  if (who == Restarted::kNobody || !stage.is_running(name)) return;
  stage.kill(name);
  stage.restart(name);
}

struct Replayed {
  std::string transcript;  // The script with what each command prints now.
  std::string outcome;
};

// An error names the line.
Result<Replayed> replay(const std::string& script, Restarted restarted = Restarted::kNobody) {
  Stage stage;
  std::istringstream lines(script);
  Replayed out;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with("> ")) {
      if (stage.is_running("server")) restart(stage, restarted);
      const Result<std::string> printed = run_command(stage, line.substr(2));
      if (!printed) return fail(printed.error().in(std::to_string(number) + ": " + line));
      out.transcript += line + "\n" + *printed;
    } else if (line.starts_with("#") || line.empty()) {
      out.transcript += line + "\n";
    }
  }
  out.outcome = stage.outcome();
  return out;
}

class Script : public ::testing::TestWithParam<std::string> {};

TEST_P(Script, PrintsWhatItSays) {
  const std::string path =
      std::string(MUSTER_SOURCE_DIR "/tests/interaction/") + GetParam() + ".txt";
  std::ifstream file(path);
  std::stringstream content;
  content << file.rdbuf();
  const std::string script = content.str();
  const Result<Replayed> now = replay(script);
  ASSERT_TRUE(now) << path << ":" << now.error().message;
  if (std::getenv("MUSTER_REWRITE") != nullptr) {
    std::ofstream(path) << now->transcript;
    return;
  }
  EXPECT_EQ(now->transcript, script) << "if the new output is right: ./dev test --rewrite";
  EXPECT_EQ(now->transcript, replay(script)->transcript) << "it must print the same again";
  // A rebuilt store has no waiting readers, a new server or coordinator starts with a grace: times
  // shift, and with them who gets which lease. What was settled and committed must not.
  EXPECT_EQ(now->outcome, replay(script, Restarted::kStorage)->outcome) << "storage rebuilt";
  EXPECT_EQ(now->outcome, replay(script, Restarted::kServer)->outcome) << "server restarted";
  EXPECT_EQ(now->outcome, replay(script, Restarted::kCoordinator)->outcome) << "c1 restarted";
}

// What nobody understands is not passed over: the script fails, and its line is named.
TEST(Commands, WhatIsNotInTheTableNamesItsLine) {
  const auto error_of = [](const std::string& line) {
    const Result<Replayed> done =
        replay("# A pool.\n> pool workers=1\n" + line + "\n> show view\n");
    return done ? "" : done.error().message;
  };
  const std::vector<std::pair<std::string, std::string>> rows = {
      {"> finis", "no command is called 'finis'"},
      {"> job itms=3", "no setting is called 'itms'"},
      {"> job items=three", "not items=three"},
      {"> job redundancy=autos", "not redundancy=autos"},
      {"> join a role=store", "not role=store"},
      {"> kill w2", "not 'w2'"},
      {"> kill", "not ''"},
      {"> kill w1 now", "'now' after 'w1'"},
      {"> kill w1 loud", "it is loud anyway"},
      {"> finish w1", "not 'w1'"},
      {"> show weather", "not 'weather'"},
      {"> ", "no command"},
  };
  for (const auto& [line, words] : rows) {
    const std::string error = error_of(line);
    EXPECT_TRUE(error.starts_with("3: " + line + ": " + words)) << line << " gives " << error;
  }
  EXPECT_EQ(error_of("> kill w1"), "");
}

std::vector<std::string> scripts() {
  std::vector<std::string> names;
  for (const auto& entry :
       std::filesystem::directory_iterator(MUSTER_SOURCE_DIR "/tests/interaction")) {
    if (entry.path().extension() == ".txt") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  MUSTER_CHECK(!names.empty());
  return names;
}

INSTANTIATE_TEST_SUITE_P(interaction, Script, ::testing::ValuesIn(scripts()),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace muster::interaction
