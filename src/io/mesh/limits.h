#pragma once

#include <cstddef>

namespace muster::io {

// The largest envelope that anybody sends. A sender leaves out what is larger and says so: the
// receiver's gRPC would reset the line of whoever forwards it. What comes in larger is not passed
// on.
constexpr size_t kMaxEnvelopeBytes = 1u << 20;

// What gRPC itself takes: only reached by a peer that is not muster.
constexpr int kMaxReceivedBytes = 4 << 20;

}  // namespace muster::io
