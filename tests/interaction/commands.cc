#include "interaction/commands.h"

#include <charconv>
#include <map>
#include <sstream>
#include <vector>

namespace muster::interaction {
namespace {

// "job items=4 redundancy=2 loud" as a word, what it is about, and its settings.
struct CommandLine {
  std::string word, subject;
  bool loud = false;
  std::map<std::string, std::string> settings;

  [[nodiscard]] bool has(const std::string& key) const { return settings.contains(key); }
  [[nodiscard]] std::string get(const std::string& key, const std::string& otherwise = "") const {
    auto found = settings.find(key);
    return found == settings.end() ? otherwise : found->second;
  }
  // The table has seen that it is one.
  [[nodiscard]] double number(const std::string& key, double otherwise) const {
    return has(key) ? std::stod(get(key)) : otherwise;
  }
  [[nodiscard]] int count(const std::string& key, int otherwise) const {
    return static_cast<int>(number(key, otherwise));
  }
  [[nodiscard]] bool yes() const { return get("is", "yes") == "yes"; }
};

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

Result<CommandLine> parse(const std::string& text) {
  const std::vector<std::string> parts = split(text, ' ');
  if (parts.empty()) return fail(Code::kInvalidArgument, "no command");
  CommandLine line{.word = parts[0]};
  for (size_t i = 1; i < parts.size(); ++i) {
    const size_t equals = parts[i].find('=');
    if (equals != std::string::npos) {
      line.settings[parts[i].substr(0, equals)] = parts[i].substr(equals + 1);
    } else if (parts[i] == "loud") {
      line.loud = true;
    } else if (line.subject.empty()) {
      line.subject = parts[i];
    } else {
      return fail(Code::kInvalidArgument, "'" + parts[i] + "' after '" + line.subject + "'");
    }
  }
  return line;
}

pb::RoleFlag flag_of(const std::string& word) {
  if (word == "compute") return pb::ROLE_FLAG_COMPUTE;
  if (word == "storage") return pb::ROLE_FLAG_STORAGE;
  return word == "coordinator" ? pb::ROLE_FLAG_COORDINATOR : pb::ROLE_FLAG_AUTO;
}

pb::JobRequest request_of(const CommandLine& line) {
  pb::JobRequest request;
  for (const std::string& name : split(line.get("tasks", "tinyMMLU"), ',')) request.add_tasks(name);
  request.set_model("/m");
  request.set_limit(line.number("items", 2));
  const bool adaptive = line.get("redundancy") == "auto";
  request.set_adaptive(adaptive);
  request.set_redundancy(adaptive ? 2 : static_cast<uint32_t>(line.number("redundancy", 2)));
  request.set_quorum_wait_ms(static_cast<uint32_t>(line.number("quorum_wait", 30) * 1000));
  request.set_force(line.get("force") == "yes");
  request.mutable_directory_pin()->set_name("m");
  request.mutable_directory_pin()->set_path("/m");
  request.mutable_directory_pin()->set_commit(std::string(64, '1'));
  request.mutable_directory_pin()->set_dtype("float32");
  return request;
}

std::string result_of(const Stage& stage) {
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

void pool(Stage& stage, const CommandLine& line) {
  const int workers = line.count("workers", 4), agreed = line.count("agreed", 0);
  if (line.has("retain")) stage.set_retain(from_seconds(line.number("retain", 0)));
  for (int i = 1; agreed > 0 && i <= workers; ++i) stage.know("w" + std::to_string(i), agreed);
  stage.start_server();
  for (int i = 1; i <= workers; ++i) stage.join("w" + std::to_string(i), pb::ROLE_FLAG_AUTO);
  for (int i = 1; i <= line.count("coordinators", 1); ++i) {
    stage.join("c" + std::to_string(i), pb::ROLE_FLAG_COORDINATOR);
  }
}

void show(Stage& stage, const CommandLine& line) {
  if (line.subject == "view") stage.transcript += stage.show_view() + "\n";
  if (line.subject == "machines") stage.transcript += stage.show_machines();
  if (line.subject == "records") stage.transcript += stage.show_records();
  if (line.subject == "result") stage.transcript += stage.with_names(result_of(stage));
}

struct Command {
  std::string word;
  // What may follow the word. The first, if it has no "=", is the subject, and has to be there; the
  // others may be left out. N is a number, NODE a machine that has joined (or "server"), NAME
  // anything; "a|b" is one or the other.
  std::string usage;
  void (*run)(Stage& stage, const CommandLine& line);
};

// To add a command, add it here. `loud` belongs to those whose set-up is quiet (told_of).
const std::vector<Command> kCommands = {
    // A server, workers w1 .. wN and coordinators c1 .. cN that join in this order; each worker has
    // agreed with others on so many items, and what is over is kept for `retain` seconds.
    {"pool", "workers=N coordinators=N agreed=N retain=N loud", pool},
    {"join", "NAME role=auto|compute|storage|coordinator owner=NAME loud",
     [](Stage& stage, const CommandLine& line) {
       stage.join(line.subject, flag_of(line.get("role")), line.get("owner"));
     }},

    // The researcher.
    {"job",
     "tasks=NAME items=N redundancy=N|auto quorum_wait=N force=yes|no key=NAME "
     "researcher=NAME loud",
     [](Stage& stage, const CommandLine& line) {
       stage.submit(request_of(line), line.get("key"), line.get("researcher"));
     }},
    {"cancel", "", [](Stage& stage, const CommandLine&) { stage.cancel(); }},
    {"why", "job|NODE", [](Stage& stage, const CommandLine& line) { stage.why(line.subject); }},
    {"pardon", "NODE", [](Stage& stage, const CommandLine& line) { stage.pardon(line.subject); }},

    // Time, in seconds: so much, or until the job is over.
    {"advance", "N",
     [](Stage& stage, const CommandLine& line) {
       stage.advance(from_seconds(std::stod(line.subject)));
     }},
    {"finish", "within=N",
     [](Stage& stage, const CommandLine& line) {
       stage.run_job(from_seconds(line.number("within", 600)));
     }},

    // What there is now.
    {"show", "view|machines|records|result", show},

    // Processes and lines.
    {"kill", "NODE", [](Stage& stage, const CommandLine& line) { stage.kill(line.subject); }},
    {"leave", "NODE", [](Stage& stage, const CommandLine& line) { stage.leave(line.subject); }},
    {"restart", "NODE", [](Stage& stage, const CommandLine& line) { stage.restart(line.subject); }},
    {"pause", "NODE", [](Stage& stage, const CommandLine& line) { stage.pause(line.subject); }},
    {"resume", "NODE", [](Stage& stage, const CommandLine& line) { stage.resume(line.subject); }},
    {"cut", "NODE", [](Stage& stage, const CommandLine& line) { stage.cut(line.subject); }},
    {"heal", "NODE", [](Stage& stage, const CommandLine& line) { stage.heal(line.subject); }},

    // Engines and models.
    {"speed", "NODE seconds_per_item=N",
     [](Stage& stage, const CommandLine& line) {
       stage.set_seconds_per_item(line.subject, line.number("seconds_per_item", 1));
     }},
    {"lie", "NODE",
     [](Stage& stage, const CommandLine& line) { stage.set_lying(line.subject, true); }},
    {"class", "NODE is=NAME",
     [](Stage& stage, const CommandLine& line) {
       stage.set_class(line.subject, line.get("is", "other"));
     }},
    {"crash_engine", "NODE is=yes|no",
     [](Stage& stage, const CommandLine& line) {
       stage.set_engine_failing(line.subject, line.yes());
     }},
    {"object", "NODE to=model|items|nothing",
     [](Stage& stage, const CommandLine& line) {
       stage.set_objecting(line.subject, line.get("to", "model"));
     }},
    {"lose_model", "NODE is=yes|no",
     [](Stage& stage, const CommandLine& line) {
       stage.set_model_missing(line.subject, line.yes());
     }},

    // Disks and the database.
    {"fill", "NODE is=yes|no",
     [](Stage& stage, const CommandLine& line) { stage.set_disk_full(line.subject, line.yes()); }},
    {"hang", "NODE", [](Stage& stage, const CommandLine& line) { stage.hang_disk(line.subject); }},
    {"rot", "NODE record=N",
     [](Stage& stage, const CommandLine& line) {
       stage.rot(line.subject, static_cast<uint64_t>(line.number("record", 0)));
     }},
    {"lose", "NODE record=N",
     [](Stage& stage, const CommandLine& line) {
       stage.lose(line.subject, static_cast<uint64_t>(line.number("record", 0)));
     }},
    {"back_up", "", [](Stage& stage, const CommandLine&) { stage.back_up(); }},
    {"restore", "", [](Stage& stage, const CommandLine&) { stage.restore(); }},
};

bool is_number(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= 0;
}

// Whether a word of a script is one of those that `kinds`, such as "N|auto", allows.
bool fits(const Stage& stage, const std::string& kinds, const std::string& word) {
  for (const std::string& kind : split(kinds, '|')) {
    if (kind == "N" ? is_number(word) : kind == "NODE" ? stage.has(word) : kind == "NAME") {
      return true;
    }
    if (kind == word) return true;
  }
  return false;
}

// Whether the command is used as its usage says.
Status check(const Stage& stage, const Command& command, const CommandLine& line) {
  const auto wrong = [&](const std::string& what) {
    return fail(Code::kInvalidArgument, what + "; it is: " + command.word + " " + command.usage);
  };
  std::string subject;
  std::map<std::string, std::string> settings;
  bool may_be_loud = false;
  for (const std::string& part : split(command.usage, ' ')) {
    const size_t equals = part.find('=');
    if (equals != std::string::npos) {
      settings[part.substr(0, equals)] = part.substr(equals + 1);
    } else if (part == "loud") {
      may_be_loud = true;
    } else {
      subject = part;
    }
  }
  if (line.loud && !may_be_loud) return wrong("it is loud anyway");
  if (subject.empty() != line.subject.empty() ||
      (!subject.empty() && !fits(stage, subject, line.subject))) {
    return wrong("not '" + line.subject + "'");
  }
  for (const auto& [key, value] : line.settings) {
    auto found = settings.find(key);
    if (found == settings.end()) return wrong("no setting is called '" + key + "'");
    if (!fits(stage, found->second, value)) return wrong("not " + key + "=" + value);
  }
  return {};
}

// A set-up is seldom what a script is about, and how machines come together and who is lent first
// changes more often than anything else. So a pool, and who joins before the first job, say
// nothing, and a job does not say who is lent to it, unless the script says that they be `loud`.
Stage::Told told_of(const Stage& stage, const CommandLine& line) {
  if (line.loud) return Stage::Told::kAll;
  if (line.word == "job") return Stage::Told::kAllButLending;
  if (line.word == "pool" || (line.word == "join" && !stage.has_job()))
    return Stage::Told::kNothing;
  return Stage::Told::kAll;
}

}  // namespace

Result<std::string> run_command(Stage& stage, const std::string& text) {
  MUSTER_TRY(const CommandLine line, parse(text));
  for (const Command& command : kCommands) {
    if (command.word != line.word) continue;
    MUSTER_TRY_STATUS(check(stage, command, line));
    stage.transcript.clear();
    stage.told = told_of(stage, line);
    command.run(stage, line);
    return stage.transcript;
  }
  return fail(Code::kInvalidArgument, "no command is called '" + line.word + "'");
}

}  // namespace muster::interaction
