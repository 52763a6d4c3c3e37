#pragma once

#include <string>

#include "sim/hash_keys.h"
#include "sim/overheard.h"

namespace muster::sim {

constexpr size_t kRecordsAtOnce = 200;  // Of a Put or Feed of an intruder's.

// The same wrong answer to an item whoever tells it, not signed yet. It names the terms of whoever
// was asked for the item, be it another; the run's last ones where nobody was.
pb::Record wrong_answer(const OverheardRun& run, const pb::ItemRequests& item);

// As if whoever answers had been asked for it: by terms that `keys` signs for itself. Draws the
// lease's number.
pb::SignedRecord terms_of_its_own(const pb::Record& answer, const HashKeys& keys,
                                  const std::string& owner, Rng& rng);

}  // namespace muster::sim
