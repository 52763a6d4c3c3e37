#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace muster::io {

// One HTTP GET (libcurl): redirects followed, the Authorization header kept to the first host. No
// proxy is for loopback, nor for what no_proxy lists.
struct HttpGet {
  std::string url;
  std::vector<std::string> headers;
  // Gets the body piece by piece; false stops the transfer, with kDisk.
  std::function<bool(std::string_view)> sink;
  // Asked at least every second or so; true ends the transfer with kInterrupted. May be empty.
  std::function<bool()> stopped;
  std::string proxy;  // For all of it; "none": no proxy; empty: as the variables say (libcurl).
  std::optional<std::chrono::milliseconds> deadline;  // For all of it, however it dribbles.
};

// Returns the status code, 200 or not; the sink has then seen that answer's body. kTryLater when
// the host cannot be reached, gives less than 1 kB/s for 60 s, does not end by the deadline, or
// cuts the connection short.
Result<int> http_get(const HttpGet& request);

}  // namespace muster::io
