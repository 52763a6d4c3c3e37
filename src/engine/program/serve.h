#pragma once

#include "base/result.h"

namespace muster::engine {

// Serves one worker over a socket (docs/engine_protocol.md) until it closes: loads a model when
// told to, scores what it is sent, one message at a time, in order.
Status serve(int fd);

}  // namespace muster::engine
