// Runs the interaction scripts of this folder: a line that begins with ">" is a command, what
// follows up to the next command is what it must print. MUSTER_REWRITE=1 writes what it did print.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/check.h"
#include "interaction/world.h"

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

std::string show_result(const World& world) {
  const pb::JobRow row = world.row();
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
    text += world.result_equals_alone() ? "equal to one process alone\n"
                                        : "NOT what one process alone gives\n";
  }
  return text;
}

void run_pool(World& world, const CommandLine& line) {
  const int workers = std::stoi(line.get("workers", "4"));
  const uint64_t agreed = std::stoul(line.get("agreed", "0"));
  if (line.settings.contains("retain")) world.set_retain(duration_of(line.get("retain", "")));
  for (int i = 1; agreed > 0 && i <= workers; ++i) world.know("w" + std::to_string(i), agreed);
  world.start_server();
  for (int i = 1; i <= workers; ++i) world.join("w" + std::to_string(i), pb::ROLE_FLAG_AUTO);
  const int coordinators = std::stoi(line.get("coordinators", "1"));
  for (int i = 1; i <= coordinators; ++i) {
    world.join("c" + std::to_string(i), pb::ROLE_FLAG_COORDINATOR);
  }
}

std::string show(const World& world, const std::string& what) {
  if (what == "view") return world.show_view() + "\n";
  if (what == "machines") return world.show_machines();
  if (what == "records") return world.show_records();
  if (what == "result") return world.with_names(show_result(world));
  return "nothing is called '" + what + "'\n";
}

std::string run_command(World& world, const std::string& text) {
  const CommandLine line(text);
  world.transcript.clear();
  const std::string& who = line.subject;
  if (line.word == "pool")
    run_pool(world, line);
  else if (line.word == "join")
    world.join(who, flag_of(line.get("role", "auto")), line.get("owner", ""));
  else if (line.word == "kill")
    world.kill(who);
  else if (line.word == "restart")
    world.restart(who);
  else if (line.word == "cut")
    world.cut(who);
  else if (line.word == "heal")
    world.heal(who);
  else if (line.word == "lie")
    world.set_lying(who, true);
  else if (line.word == "class")
    world.set_class(who, line.get("is", "other"));
  else if (line.word == "why")
    world.why(who);
  else if (line.word == "pardon")
    world.pardon(who);
  else if (line.word == "crash_engine")
    world.set_engine_failing(who, line.get("is", "yes") == "yes");
  else if (line.word == "object")
    world.set_objecting(who, line.get("to", "model"));
  else if (line.word == "fill")
    world.set_disk_full(who, line.get("is", "yes") == "yes");
  else if (line.word == "hang")
    world.hang_disk(who);
  else if (line.word == "back_up")
    world.back_up();
  else if (line.word == "restore")
    world.restore();
  else if (line.word == "rot")
    world.rot(who, std::stoul(line.get("record", "0")));
  else if (line.word == "lose")
    world.lose(who, std::stoul(line.get("record", "0")));
  else if (line.word == "pause")
    world.pause(who);
  else if (line.word == "resume")
    world.resume(who);
  else if (line.word == "lose_model")
    world.set_model_missing(who, line.get("is", "yes") == "yes");
  else if (line.word == "speed")
    world.set_seconds_per_item(who, std::stod(line.get("seconds_per_item", "1")));
  else if (line.word == "job")
    world.submit(request_of(line), line.get("key", ""));
  else if (line.word == "cancel")
    world.cancel();
  else if (line.word == "advance")
    world.advance(duration_of(line.subject));
  else if (line.word == "finish")
    world.run_job(duration_of(line.get("within", "600")));
  else if (line.word == "show")
    return show(world, line.subject);
  else
    return "no command is called '" + line.word + "'\n";
  return world.transcript;
}

// Who is restarted before each command of a replay.
enum class Restarted { kNobody, kStorage, kServer, kCoordinator };

void restart(World& world, Restarted who) {
  if (who == Restarted::kStorage) return world.rebuild_storage();
  const std::string name = who == Restarted::kServer ? "server" : "c1";
  if (who == Restarted::kNobody || !world.is_running(name)) return;
  world.kill(name);
  world.restart(name);
}

struct Replayed {
  std::string transcript;  // The script with what each command prints now.
  std::string outcome;
};

Replayed replay(const std::string& script, Restarted restarted = Restarted::kNobody) {
  World world;
  std::istringstream lines(script);
  Replayed out;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("> ")) {
      if (world.is_running("server")) restart(world, restarted);
      out.transcript += line + "\n" + run_command(world, line.substr(2));
    } else if (line.starts_with("#") || line.empty()) {
      out.transcript += line + "\n";
    }
  }
  out.outcome = world.outcome();
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
