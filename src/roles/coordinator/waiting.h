#pragma once

#include <string>

#include "base/result.h"
#include "roles/coordinator/situation.h"

namespace muster::roles::coordinator {

// What holds a job up. Pure.

// No lease is open and nobody may take anything, here or at work elsewhere; and not all is settled.
bool is_stuck(const Situation& situation, Instant now);

// Why: every machine that was ever asked says that the model is not there, or cannot run it for
// whatever reason that another attempt does not mend, or has answered nothing. Null: somebody has
// answered, or there is hope.
const Error* nobody_has_the_model(const Situation& situation);

// An item that nobody can try any more; null: none.
const Item* crashes_all(const Situation& situation);
// Which it is, for a person, and who has failed on it.
std::string describe_excluded(const Items& items, const Item& item);

// What a running job waits for, for a person; empty: for nothing, somebody is at work.
std::string waiting_reason(const Situation& situation, bool class_is_lost, bool stuck);

}  // namespace muster::roles::coordinator
