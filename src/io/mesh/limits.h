#pragma once

namespace muster::io {

// What gRPC itself takes: only reached by a peer that is not muster. A sender leaves out what is
// larger than wire::kMaxEnvelopeBytes and says so: the receiver's gRPC would reset the line of
// whoever forwards it.
constexpr int kMaxReceivedBytes = 4 << 20;

// What one end of a line takes before the other must wait to hear that it was read: as much as a
// role has on its way to a target. Fixed, without the probes (GRPC_ARG_HTTP2_BDP_PROBE) by
// which gRPC would find another: a ping and two timers for nearly every message on an idle line
// cost a server of many machines a fifth of its time.
constexpr int kWindowBytes = 256 << 10;

}  // namespace muster::io
