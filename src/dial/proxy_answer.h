#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::dial {

// The head of what a proxy answers to CONNECT: the status and all headers, of which one counts.
struct ProxyAnswer {
  int status = 0;            // Three digits.
  std::string reason;        // Its words, printable (base/printable.h); may be empty.
  bool takes_basic = false;  // Proxy-Authenticate names Basic: user and password.
  size_t bytes = 0;          // How long the head is.

  [[nodiscard]] bool is_yes() const { return status / 100 == 2; }
};

// No head is longer.
constexpr size_t kMostAnswerBytes = 8192;

// Reads the head at the front of what came so far. None: it is not whole yet. kDataLoss, as early
// as can be: it is no HTTP/1, or longer than kMostAnswerBytes. Lines may end without a CR.
Result<std::optional<ProxyAnswer>> read_proxy_answer(std::string_view bytes);

}  // namespace muster::dial
