#include "client/job_request.h"

#include <algorithm>

#include "base/printable.h"
#include "client/engine_info.h"
#include "eval/model_name.h"
#include "eval/model_size.h"
#include "eval/task.h"
#include "host/engine_program.h"
#include "host/model_directory.h"

namespace muster::client {
namespace {

constexpr size_t kMostPathBytes = 1000;

bool looks_like_path(const std::string& model) {
  std::error_code error;
  return model.starts_with('/') || model.starts_with('.') || model.starts_with('~') ||
         std::filesystem::is_directory(model, error);
}

Result<pb::ModelPin> checked_directory(const std::string& model) {
  std::error_code error;
  const Path directory = std::filesystem::canonical(expanded(model), error);
  if (error) return fail(Code::kNotFound, model + ": no such directory");
  if (!is_utf8(directory.string()) || directory.string().size() > kMostPathBytes) {
    return fail(Code::kUnsupported,
                directory.string() + ": the pool takes paths in UTF-8 of up to 1000 bytes");
  }
  MUSTER_TRY_STATUS(host::model_files(directory));
  MUSTER_TRY(const Json info, engine_info(host::engine_program(), directory));
  MUSTER_TRY(const int64_t parameters, get_int(info, "parameters"));
  MUSTER_TRY_STATUS(eval::check_model_size(model, static_cast<uint64_t>(parameters)));
  MUSTER_TRY(auto pin, host::pin_directory(directory));
  pin.set_parameters(static_cast<uint64_t>(parameters));
  return pin;
}

}  // namespace

Result<pb::JobRequest> make_request(const RunOptions& options) {
  pb::JobRequest request;
  for (const std::string& name : options.tasks) {
    MUSTER_TRY(const eval::Task* task, eval::find_task(name));
    if (std::count(request.tasks().begin(), request.tasks().end(), task->name) > 0) {
      return fail(Code::kInvalidArgument, "--tasks names " + task->name + " twice");
    }
    MUSTER_TRY([[maybe_unused]] const auto shots,
               eval::resolve_fewshot(*task, options.num_fewshot));
    request.add_tasks(task->name);
  }
  request.set_model(options.model);
  if (looks_like_path(options.model)) {
    MUSTER_TRY(*request.mutable_directory_pin(), checked_directory(options.model));
  } else if (!eval::parse_model_name(options.model)) {
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
