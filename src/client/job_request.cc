#include "client/job_request.h"

#include <regex>

#include "client/engine_info.h"
#include "eval/task.h"
#include "host/model_directory.h"

namespace muster::client {
namespace {

constexpr uint64_t kMostParameters = 1'000'000'000;  // Until the engine has bfloat16.

bool looks_like_path(const std::string& model) {
  return model.starts_with('/') || model.starts_with('.') || model.starts_with('~') ||
         std::filesystem::is_directory(model);
}

bool looks_like_name(const std::string& model) {
  static const std::regex pattern(
      "[A-Za-z0-9][-A-Za-z0-9_.]*/[A-Za-z0-9][-A-Za-z0-9_.]*(@[-A-Za-z0-9_./]+)?");
  return std::regex_match(model, pattern);
}

Result<pb::ModelPin> checked_directory(const std::string& model, const Path& engine) {
  std::error_code error;
  const Path directory = std::filesystem::canonical(model, error);
  if (error) return fail(Code::kNotFound, model + ": no such directory");
  MUSTER_TRY_STATUS(host::model_files(directory));
  MUSTER_TRY(const Json info, engine_info(engine, directory));
  MUSTER_TRY(const int64_t parameters, get_int(info, "parameters"));
  if (static_cast<uint64_t>(parameters) > kMostParameters) {
    return fail(Code::kUnsupported,
                model + ": " + std::to_string(parameters / 1'000'000) +
                    " M parameters; this engine computes in float32 and takes up to 1 B");
  }
  MUSTER_TRY(auto pin, host::pin_directory(directory));
  pin.set_parameters(static_cast<uint64_t>(parameters));
  return pin;
}

}  // namespace

Result<pb::JobRequest> make_request(const RunOptions& options, const Path& engine) {
  pb::JobRequest request;
  for (const std::string& name : options.tasks) {
    MUSTER_TRY(const eval::Task* task, eval::find_task(name));
    MUSTER_TRY([[maybe_unused]] const auto shots,
               eval::resolve_fewshot(*task, options.num_fewshot));
    request.add_tasks(task->name);
  }
  request.set_model(options.model);
  if (looks_like_path(options.model)) {
    MUSTER_TRY(*request.mutable_directory_pin(), checked_directory(options.model, engine));
  } else if (!looks_like_name(options.model)) {
    return fail(Code::kUnsupported, "'" + options.model +
                                        "' is neither a directory nor a name like "
                                        "EleutherAI/pythia-14m");
  }
  if (options.limit) request.set_limit(*options.limit);
  if (options.num_fewshot) request.set_num_fewshot(static_cast<int32_t>(*options.num_fewshot));
  request.set_adaptive(options.redundancy == "auto");
  request.set_redundancy(
      request.adaptive() ? 2 : static_cast<uint32_t>(std::stoul(options.redundancy)));
  request.set_quorum_wait_ms(static_cast<uint32_t>(options.quorum_wait_seconds * 1000));
  request.set_username(options.username);
  request.set_force(options.force);
  return request;
}

}  // namespace muster::client
