#include "eval/model_size.h"

namespace muster::eval {

Status check_model_size(const std::string& model, uint64_t parameters) {
  if (parameters <= kMostParameters) return {};
  return fail(Code::kUnsupported,
              model + ": " + std::to_string(parameters / 1'000'000) +
                  " M parameters; this engine computes in float32 and takes up to 1 B");
}

}  // namespace muster::eval
