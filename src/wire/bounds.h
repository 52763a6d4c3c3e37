#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::wire {

// What no envelope exceeds, whoever says it. gRPC's own limit of 4 MiB lies above it, so that what
// is passed on with an address more never meets that.
constexpr size_t kMaxEnvelopeBytes = 1u << 20;

// The bound of one field of the wire's messages: of its bytes (0: not a string) and of how many
// there may be (0: not repeated). What a person reads is cut by whoever sends it; anything else
// over its bound is refused.
struct Bound {
  const char* field;  // "Hello.owner"
  size_t bytes = 0, count = 0;
  bool is_text = false;
};

// One row for every string, bytes and repeated field that an envelope, a record or what is said at
// the server's door can have.
const std::vector<Bound>& bounds();

// kInvalidArgument, naming the field, when a message has a field over its bound, or an envelope is
// larger than kMaxEnvelopeBytes. Costs some 0.5 us an envelope, more only where it is long.
Status check_bounds(const pb::Envelope& envelope);
Status check_bounds(const google::protobuf::Message& message);

// Cuts every text to its bound, and takes out of it what is no UTF-8: such bytes would cost the
// line.
void fit_texts(pb::Envelope& envelope);

// The first `bytes` of a text at most, cut between two characters, valid UTF-8.
std::string fit_text(std::string_view text, size_t bytes);

}  // namespace muster::wire
