#include <signal.h>

#include <atomic>
#include <cstdio>
#include <thread>

#include "base/signals.h"
#include "cli/command.h"
#include "cli/flag_checks.h"
#include "cli/progress.h"
#include "cli/results.h"
#include "cli/server_address.h"
#include "client/job_request.h"
#include "client/pool_client.h"
#include "eval/task.h"
#include "wire/failure.h"
#include "wire/job_state.h"

namespace muster::cli {
namespace {

struct Options {
  client::RunOptions run;
  ServerAddress server;
  std::string llm_name, model = "hf", model_args, output_path;
  bool json = false, trust_remote_code = false;
};

std::atomic<client::PoolClient*> interruptible = nullptr;

// Ctrl-C detaches, and so does being told to end: the job goes on without us. Waited for, since a
// first process of a container ends on nothing that it does not wait for; what a script has this
// ignore stays ignored. interrupt() takes locks, so a thread calls it.
void watch_for_interrupt() {
  const sigset_t set = ending_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread([set] {
    int signal = 0;
    sigwait(&set, &signal);
    client::PoolClient* const pool = interruptible.load();
    if (pool == nullptr) _exit(130);  // Nothing is asked for yet, or all is there.
    pool->interrupt();
    sigwait(&set, &signal);
    _exit(130);
  }).detach();
}

// The model from --llm_name, or from --model hf --model_args pretrained=X,revision=Y.
Result<std::string> model_name(const Options& options) {
  if (!options.llm_name.empty()) return options.llm_name;
  if (options.model != "hf") {
    return fail(Code::kUnsupported, "--model " + options.model + ": only hf is known");
  }
  std::string name, revision;
  for (const std::string& pair : CLI::detail::split(options.model_args, ',')) {
    if (pair.empty()) continue;
    const size_t equals = pair.find('=');
    const std::string key = pair.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : pair.substr(equals + 1);
    if (key == "pretrained") {
      name = value;
    } else if (key == "revision") {
      revision = "@" + value;
    } else if (key != "dtype" || (value != "float32" && value != "auto")) {
      return fail(Code::kUnsupported, "--model_args " + pair + " is not supported");
    }
  }
  if (name.empty()) {
    return fail(Code::kInvalidArgument, "which model? --llm_name ORG/NAME or a directory");
  }
  return name + revision;
}

class Run {
 public:
  Run(const Options& options, const identity::Access& server) : options_(options), pool_(server) {}

  Status go() {
    MUSTER_TRY(auto words, words_of_request());
    MUSTER_TRY(const auto request, client::make_request(words));
    interruptible = &pool_;
    MUSTER_TRY(const auto reply, pool_.submit(request));
    announce(reply);
    const Status followed = follow(reply.job());
    interruptible = nullptr;
    view_.clear();
    if (!followed && followed.error().code == Code::kInterrupted) return detached(reply.job());
    MUSTER_TRY_STATUS(followed);
    return conclude();
  }

 private:
  Result<client::RunOptions> words_of_request() const {
    client::RunOptions words = options_.run;
    MUSTER_TRY(words.model, model_name(options_));
    if (options_.trust_remote_code) {
      std::fprintf(stderr, "muster: --trust_remote_code has no effect: no code is ever run\n");
    }
    for (const std::string& name : words.tasks) {
      const auto task = eval::find_task(name);
      if (!task || words.num_fewshot || (*task)->fewshot_note.empty()) continue;
      std::fprintf(stderr, "muster: %s: %s\n", name.c_str(), (*task)->fewshot_note.c_str());
    }
    return words;
  }

  void announce(const pb::SubmitReply& reply) {
    const char* how = !reply.attached()                     ? "accepted"
                      : reply.state() == pb::JOB_STATE_DONE ? "done before; --force runs it again"
                                                            : "in progress already; attached";
    if (options_.json) {
      print(Json{{"type", "accepted"},
                 {"job", reply.job()},
                 {"run", reply.run()},
                 {"attached", reply.attached()}});
    }
    view_.say("job " + reply.job() + " " + how);
  }

  static void print(const Json& line) {
    std::printf("%s\n", line.dump(-1, ' ', true).c_str());
    std::fflush(stdout);
  }

  // Watches until the job is over, through lost servers and coordinators.
  Status follow(const std::string& job) {
    std::optional<Error> failure;
    for (bool told = false; !over_ && !failure;) {
      std::string waits = "the server is lost, waiting for it";
      const Status watched = pool_.watch(job, [&](const pb::JobUpdate& update) {
        if (update.has_failure()) {
          const Error error = wire::to_error(update.failure());
          error.code == Code::kTryLater ? void(waits = error.message) : void(failure = error);
          return false;
        }
        told = false;
        return see(update);
      });
      const bool is_over = !watched && watched.error().code != Code::kUnavailable;
      if (is_over) return watched;  // Interrupted, or not allowed any more.
      if (over_ || failure) break;
      if (!std::exchange(told, true)) view_.say(waits);
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
    return failure ? fail(*failure) : Status();
  }

  bool see(const pb::JobUpdate& update) {
    row_ = update.row();
    if (!update.message().empty()) view_.say(update.message());
    over_ = wire::is_over(row_.state());
    if (over_) return false;
    if (options_.json) {
      print(Json{{"type", "progress"},
                 {"settled", row_.settled_items()},
                 {"total", row_.total_items()},
                 {"reason", row_.reason()}});
    } else {
      view_.show(row_);
    }
    return true;
  }

  Status detached(const std::string& job) {
    view_.say("detached; the job goes on. The same command attaches again; 'muster cancel " + job +
              "' ends it");
    return fail(Code::kInterrupted, "");
  }

  Status conclude() {
    if (row_.state() != pb::JOB_STATE_DONE) {
      if (options_.json)
        print(Json{{"type", "done"}, {"state", "failed"}, {"reason", row_.reason()}});
      const char* what = row_.state() == pb::JOB_STATE_CANCELLED ? "cancelled" : "failed";
      return fail(Code::kFailed, "job " + row_.job() + " " + what + ": " + row_.reason());
    }
    // The file first: whoever reads the table may be gone.
    Result<Path> written;
    if (!options_.output_path.empty()) {
      written = write_results(row_, expanded(options_.output_path));
      if (written) view_.say("results written to " + written->string());
    }
    if (options_.json) {
      print(Json{{"type", "done"}, {"state", "done"}, {"results", results_json(row_)}});
    } else {
      std::printf("%s", results_table(row_).c_str());
      std::fflush(stdout);
    }
    return written ? Status() : fail(written.error());
  }

  const Options& options_;
  client::PoolClient pool_;
  ProgressView view_;
  pb::JobRow row_;
  bool over_ = false;
};

}  // namespace

void add_run_command(CLI::App& app, Commands& commands) {
  auto options = std::make_shared<Options>();
  auto* command = app.add_subcommand("run", "evaluate a model on the pool and wait for the table");
  command
      ->add_option("--llm_name", options->llm_name,
                   "the model: ORG/NAME[@revision] on the Hugging Face Hub, or a directory")
      ->check(line_of_text(kMostModelBytes));
  command->add_option("--model", options->model, "lm-eval's kind of model; only hf");
  command->add_option("--model_args", options->model_args, "lm-eval's: pretrained=X,revision=Y")
      ->check(line_of_text(2 * kMostModelBytes));
  command->add_option("--tasks", options->run.tasks, "tasks, separated by commas")
      ->delimiter(',')
      ->default_val(std::vector<std::string>{"tinyMMLU", "tinyHellaswag"});
  command
      ->add_option("--limit", options->run.limit,
                   "the first N items of each task, or a share below 1")
      ->check([](const std::string& text) {
        double value = 0;
        const bool positive = CLI::detail::lexical_cast(text, value) && value > 0 && value <= 1e9;
        return positive ? "" : "must be more than 0: so many items, or a share of them below 1";
      });
  command->add_option("--num_fewshot", options->run.num_fewshot, "examples in the prompt")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--output_path", options->output_path, "folder for lm-eval's results file");
  command
      ->add_option("--redundancy", options->run.redundancy,
                   "votes each item wants, 1 to 5; auto: machines that have agreed with others on "
                   "200 items in a row answer alone, but for one item in 20")
      ->check(CLI::IsMember({"1", "2", "3", "4", "5", "auto"}))
      ->capture_default_str();
  command
      ->add_option("--quorum_wait", options->run.quorum_wait_seconds,
                   "seconds until a pool too small settles for fewer votes")
      ->check(number_between(0.1, 86400));
  command->add_option("--username", options->run.username, "who asks")
      ->check(line_of_text(kMostNameBytes));
  command->add_flag("--force", options->run.force, "run again although it was done before");
  command->add_flag("--json", options->json, "JSON lines on stdout: accepted, progress, done");
  command->add_flag("--trust_remote_code", options->trust_remote_code, "accepted; has no effect");
  add_server_flags(*command, options->server);
  command->footer(
      "Example:\n  muster run --llm_name EleutherAI/pythia-14m --tasks tinyMMLU,tinyHellaswag");
  commands["run"] = [options]() -> Status {
    watch_for_interrupt();  // Before gRPC has threads, which would take the signal.
    MUSTER_TRY(const auto server, options->server.access_of_person());
    return Run(*options, server).go();
  };
}

}  // namespace muster::cli
