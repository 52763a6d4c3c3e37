#pragma once

namespace muster::io {

// What gRPC itself takes: only reached by a peer that is not muster. A sender leaves out what is
// larger than wire::kMaxEnvelopeBytes and says so: the receiver's gRPC would reset the line of
// whoever forwards it.
constexpr int kMaxReceivedBytes = 4 << 20;

}  // namespace muster::io
