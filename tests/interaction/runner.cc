// Runs the interaction scripts of this folder: a line that begins with ">" is a command, what
// follows up to the next command is what it must print. MUSTER_REWRITE=1 writes what it did print.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "interaction/stage.h"

namespace muster::interaction {
namespace {

// "job items=4 redundancy=2" as a word and its settings.
struct CommandLine {
  std::string word, subject;
  std::map<std::string, std::string> settings;

  explicit CommandLine(const std::string& text) {
    std::istringstream words(text);
    words >> word;
    for (std::string part; words >> part;) {
      const size_t equals = part.find('=');
      if (equals == std::string::npos) {
        subject = part;
      } else {
        settings[part.substr(0, equals)] = part.substr(equals + 1);
      }
    }
  }
  [[nodiscard]] std::string get(const std::string& key, const std::string& otherwise) const {
    auto found = settings.find(key);
    return found == settings.end() ? otherwise : found->second;
  }
};

Duration duration_of(const std::string& text) { return from_seconds(std::stod(text)); }

pb::RoleFlag flag_of(const std::string& word) {
  if (word == "compute") return pb::ROLE_FLAG_COMPUTE;
  if (word == "storage") return pb::ROLE_FLAG_STORAGE;
  return word == "coordinator" ? pb::ROLE_FLAG_COORDINATOR : pb::ROLE_FLAG_AUTO;
}

pb::JobRequest request_of(const CommandLine& line) {
  pb::JobRequest request;
  std::istringstream names(line.get("tasks", "tinyMMLU"));
  for (std::string name; std::getline(names, name, ',');) request.add_tasks(name);
  request.set_model("/m");
  request.set_limit(std::stod(line.get("items", "2")));
  const std::string redundancy = line.get("redundancy", "2");
  request.set_adaptive(redundancy == "auto");
  request.set_redundancy(redundancy == "auto" ? 2 : static_cast<uint32_t>(std::stoul(redundancy)));
  request.set_quorum_wait_ms(
      static_cast<uint32_t>(std::stod(line.get("quorum_wait", "30")) * 1000));
  request.set_force(line.get("force", "") == "yes");
  request.mutable_directory_pin()->set_name("m");
  request.mutable_directory_pin()->set_path("/m");
  request.mutable_directory_pin()->set_commit(std::string(64, '1'));
  request.mutable_directory_pin()->set_dtype("float32");
  return request;
}

std::string show_result(const Stage& stage) {
  const pb::JobRow row = stage.row();
  std::string text;
  if (row.state() == pb::JOB_STATE_FAILED) text = "failed: " + row.reason() + "\n";
  if (row.state() == pb::JOB_STATE_CANCELLED) text = "cancelled\n";
  if (row.state() == pb::JOB_STATE_RUNNING) text = "still running\n";
  for (const auto& task : row.result().tasks()) {
    text += task.task() + ":";
    for (const auto& metric : task.metrics())
      text += " " + metric.name() + "=" + std::to_string(metric.value());
    text += " votes=" + std::to_string(task.least_votes());
    for (const std::string& name : task.numeric_classes())
      if (row.numeric_classes_size() > 1 || name != "test") text += " class=" + name;
    if (task.items_below() > 0) text += " (" + std::to_string(task.items_below()) + " items below)";
    text += "\n";
  }
  if (row.state() == pb::JOB_STATE_DONE) {
    text += stage.result_equals_alone() ? "equal to one process alone\n"
                                        : "NOT what one process alone gives\n";
  }
  return text;
}

void run_pool(Stage& stage, const CommandLine& line) {
  const int workers = std::stoi(line.get("workers", "4"));
  const uint64_t agreed = std::stoul(line.get("agreed", "0"));
  if (line.settings.contains("retain")) stage.set_retain(duration_of(line.get("retain", "")));
  for (int i = 1; agreed > 0 && i <= workers; ++i) stage.know("w" + std::to_string(i), agreed);
  stage.start_server();
  for (int i = 1; i <= workers; ++i) stage.join("w" + std::to_string(i), pb::ROLE_FLAG_AUTO);
  const int coordinators = std::stoi(line.get("coordinators", "1"));
  for (int i = 1; i <= coordinators; ++i) {
    stage.join("c" + std::to_string(i), pb::ROLE_FLAG_COORDINATOR);
  }
}

std::string show(const Stage& stage, const std::string& what) {
  if (what == "view") return stage.show_view() + "\n";
  if (what == "machines") return stage.show_machines();
  if (what == "records") return stage.show_records();
  if (what == "result") return stage.with_names(show_result(stage));
  return "nothing is called '" + what + "'\n";
}

std::string run_command(Stage& stage, const std::string& text) {
  const CommandLine line(text);
  stage.transcript.clear();
  const std::string& who = line.subject;
  if (line.word == "pool")
    run_pool(stage, line);
  else if (line.word == "join")
    stage.join(who, flag_of(line.get("role", "auto")), line.get("owner", ""));
  else if (line.word == "kill")
    stage.kill(who);
  else if (line.word == "restart")
    stage.restart(who);
  else if (line.word == "cut")
    stage.cut(who);
  else if (line.word == "heal")
    stage.heal(who);
  else if (line.word == "lie")
    stage.set_lying(who, true);
  else if (line.word == "class")
    stage.set_class(who, line.get("is", "other"));
  else if (line.word == "why")
    stage.why(who);
  else if (line.word == "pardon")
    stage.pardon(who);
  else if (line.word == "crash_engine")
    stage.set_engine_failing(who, line.get("is", "yes") == "yes");
  else if (line.word == "object")
    stage.set_objecting(who, line.get("to", "model"));
  else if (line.word == "fill")
    stage.set_disk_full(who, line.get("is", "yes") == "yes");
  else if (line.word == "hang")
    stage.hang_disk(who);
  else if (line.word == "back_up")
    stage.back_up();
  else if (line.word == "restore")
    stage.restore();
  else if (line.word == "rot")
    stage.rot(who, std::stoul(line.get("record", "0")));
  else if (line.word == "lose")
    stage.lose(who, std::stoul(line.get("record", "0")));
  else if (line.word == "pause")
    stage.pause(who);
  else if (line.word == "resume")
    stage.resume(who);
  else if (line.word == "lose_model")
    stage.set_model_missing(who, line.get("is", "yes") == "yes");
  else if (line.word == "speed")
    stage.set_seconds_per_item(who, std::stod(line.get("seconds_per_item", "1")));
  else if (line.word == "job")
    stage.submit(request_of(line), line.get("key", ""));
  else if (line.word == "cancel")
    stage.cancel();
  else if (line.word == "advance")
    stage.advance(duration_of(line.subject));
  else if (line.word == "finish")
    stage.run_job(duration_of(line.get("within", "600")));
  else if (line.word == "show")
    return show(stage, line.subject);
  else
    return "no command is called '" + line.word + "'\n";
  return stage.transcript;
}

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

Replayed replay(const std::string& script, Restarted restarted = Restarted::kNobody) {
  Stage stage;
  std::istringstream lines(script);
  Replayed out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("> ")) {
      if (stage.is_running("server")) restart(stage, restarted);
      out.transcript += line + "\n" + run_command(stage, line.substr(2));
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
  const Replayed now = replay(script);
  if (std::getenv("MUSTER_REWRITE") != nullptr) {
    std::ofstream(path) << now.transcript;
    return;
  }
  EXPECT_EQ(now.transcript, script) << "if the new output is right: ./dev test --rewrite";
  EXPECT_EQ(now.transcript, replay(script).transcript) << "it must print the same again";
  // A rebuilt store has no waiting readers, a new server or coordinator starts with a grace: times
  // shift, and with them who gets which lease. What was settled and committed must not.
  EXPECT_EQ(now.outcome, replay(script, Restarted::kStorage).outcome) << "storage rebuilt";
  EXPECT_EQ(now.outcome, replay(script, Restarted::kServer).outcome) << "server restarted";
  EXPECT_EQ(now.outcome, replay(script, Restarted::kCoordinator).outcome) << "c1 restarted";
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
