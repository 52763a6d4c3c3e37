#pragma once

#include <vector>

#include "base/digest.h"
#include "wire/pb.h"

namespace muster::roles::storage {

// What a store holds, in few bytes: digests counted and folded by equal ranges of their first byte,
// about 64 of them a range. Two stores with equal ranges hold the same, but for a chance of 2^-256.
google::protobuf::RepeatedPtrField<pb::CompareRanges::Range> to_ranges(
    const std::vector<Digest>& digests);

// Those of `digests` that lie in ranges which are not as `theirs`, `most` at most, in order.
// Nothing for a number of ranges that to_ranges never gives.
std::vector<Digest> in_other_ranges(
    const std::vector<Digest>& digests,
    const google::protobuf::RepeatedPtrField<pb::CompareRanges::Range>& theirs, size_t most);

}  // namespace muster::roles::storage
