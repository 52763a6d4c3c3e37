#pragma once

#include "base/time.h"
#include "wire/pb.h"

namespace muster::roles {

// For how long a store that feeds a batch, and says that it has more, is heard by it: 0.1 s, and a
// second for each 16 KiB. A trickle is silence.
inline Duration batch_worth(const pb::Feed& feed) {
  constexpr double kBytesPerSecond = 16 << 10;
  return milliseconds(100) +
         from_seconds(static_cast<double>(feed.ByteSizeLong()) / kBytesPerSecond);
}

}  // namespace muster::roles
