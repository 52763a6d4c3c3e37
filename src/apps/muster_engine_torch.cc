// muster-engine, as it is once its environment is set (muster_engine.cc): the language model, as a
// program of its own, so that a crash, an out-of-memory or a driver fault costs one restart.
#include <signal.h>
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/printable.h"
#include "engine/program/requests_file.h"
#include "engine/program/serve.h"
#include "engine/program/texts_file.h"

namespace muster::engine {
namespace {

int finish(const Status& status) {
  if (status) return 0;
  std::fprintf(stderr, "muster-engine: %s\n", printable(status.error().message, 4000).c_str());
  return exit_code(status.error().code);
}

Status print_info(const Path& model) {
  MUSTER_TRY(const Json info, describe_model(model));
  std::printf("%s\n", info.dump(2).c_str());
  if (std::fflush(stdout) == 0) return {};
  return fail(Code::kDisk, "what was printed could not be written");
}

// A model with a file that memory cannot hold must not take the error's words with it.
Status guarded(const std::function<Status()>& work) {
  try {
    return work();
  } catch (const std::bad_alloc&) {
    return fail(Code::kFailed, "out of memory");
  } catch (const std::exception& error) {  // LibTorch throws; this is where it is caught.
    return fail(Code::kFailed, error.what());
  }
}

int run(int argc, char** argv) {
  CLI::App app{"muster-engine: scores text under a language model, from a Hugging Face directory"};
  app.set_version_flag("--version", "muster-engine " MUSTER_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Example:\n  muster-engine score --model models/pythia-14m --requests in.jsonl --output "
      "out.jsonl");
  std::string model, requests, texts, output, device = "auto", dtype = "auto";
  int threads = 0, fd = 0;

  auto* score = app.add_subcommand("score", "log-likelihoods of JSON-lines requests");
  score->add_option("--requests", requests, "JSON lines with \"context\" and \"continuation\"")
      ->required();
  score->add_option("--output", output, "where the JSON lines of scores go")->required();
  auto* info = app.add_subcommand("info", "what a model is and needs, as JSON");
  auto* encode = app.add_subcommand("encode", "token ids of JSON-lines texts");
  encode->add_option("--texts", texts, "JSON lines, a string each")->required();
  encode->add_option("--output", output, "where the JSON lines of token ids go")->required();
  for (CLI::App* command : {score, info, encode}) {
    command->add_option("--model", model, "directory with config.json and safetensors")->required();
  }
  score->add_option("--device", device, "where to compute")->check(CLI::IsMember({"auto", "cpu"}));
  score->add_option("--dtype", dtype, "what to compute in")
      ->check(CLI::IsMember({"auto", "float32"}));
  score->add_option("--threads", threads, "threads [its share of the cores]")
      ->check(CLI::Range(1, 1024));
  auto* serve_command = app.add_subcommand("serve", "serve a worker over an inherited socket");
  serve_command->group("");
  serve_command->add_option("--fd", fd)->required();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }

  if (*score) return finish(guarded([&] { return score_file(model, requests, output, threads); }));
  if (*encode) return finish(guarded([&] { return encode_file(model, texts, output); }));
  if (*info) return finish(guarded([&] { return print_info(model); }));
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // A worker that dies takes its engine along.
  return finish(guarded([&] { return serve(fd); }));
}

}  // namespace
}  // namespace muster::engine

int main(int argc, char** argv) { return muster::engine::run(argc, argv); }
