#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace muster {

// Why something a person, a peer, a file or a disk asked for did not happen. The codes are few and
// are shared with the wire; each maps to one exit code (see exit_code()).
enum class Code {
  kInvalidArgument,  // The command line itself is wrong.
  kUnsupported,      // Well-formed, but it cannot work: task, model, data.
  kNotFound,         // The named thing is not there.
  kUnavailable,      // Nobody answers at that address, or the address is taken.
  kTryLater,         // Would work at another time: no coordinator, no Hub, rate limit.
  kPermission,       // Known, and not allowed.
  kDisk,             // A disk or a file refused.
  kDataLoss,         // Bytes that are not what their name or their format says.
  kFailed,           // A job failed, a check failed, a result is invalid.
  kInterrupted,      // A person pressed Ctrl-C.
};

// The word for a code, as logs print it: "data loss".
std::string_view to_string(Code code);

// The process exit code a command ends with when this error ends it (README, "Exit codes").
int exit_code(Code code);

struct Error {
  Code code = Code::kFailed;
  std::string message;  // What, where, what to do. One line, no full stop needed.

  // The same error with where it happened put in front: "model.safetensors: truncated".
  [[nodiscard]] Error in(std::string_view where) const {
    return {code, std::string(where) + ": " + message};
  }
};

template <typename T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::make_unexpected(Error{code, std::move(message)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::make_unexpected(std::move(error)); }

}  // namespace muster

#define MUSTER_CONCAT_INNER(a, b) a##b
#define MUSTER_CONCAT(a, b) MUSTER_CONCAT_INNER(a, b)

// MUSTER_TRY(auto x, f());  declares x, or returns f's error from the enclosing function.
#define MUSTER_TRY(declaration, expression) \
  MUSTER_TRY_INNER(MUSTER_CONCAT(muster_try_, __LINE__), declaration, expression)
#define MUSTER_TRY_INNER(temporary, declaration, expression)           \
  auto temporary = (expression);                                       \
  if (!temporary) return ::muster::fail(std::move(temporary).error()); \
  declaration = *std::move(temporary)

// MUSTER_TRY_STATUS(f());  returns f's error, if any.
#define MUSTER_TRY_STATUS(expression)                          \
  do {                                                         \
    if (auto muster_status = (expression); !muster_status)     \
      return ::muster::fail(std::move(muster_status).error()); \
  } while (false)
