#pragma once

#include <string>

#include "base/rng.h"
#include "roles/coordinator/situation.h"

namespace muster::roles::coordinator {

// Who may vote on an item, who is drawn for it, and whether anybody is left. Pure.

// The machine may be asked for one more answer to the item. The last vote is kept for a machine
// that can give the value; and another machine of an owner who has voted says nothing new, unless
// the votes so far do not agree.
bool may_vote(const Situation& situation, const std::string& machine, const Item& item);

// No machine of its owner has answered the item, or is asked to.
bool brings_an_owner(const Situation& situation, const std::string& machine, const Item& item);

// It may be drawn as the next to vote: it may vote, and work, now or when it is free.
bool may_be_drawn(const Situation& situation, const std::string& machine, const Item& item);

// Where answers do not agree, or an attempt has failed, the next to try is drawn by lot among all
// that may, at work or idle: who is idle is for the machines to choose. First among those of owners
// who have not voted on it: else four machines of one owner, asked one after the other, could
// outvote the only other owner who was asked. Empty: nobody may.
std::string draw_voter(const Situation& situation, const Item& item, Rng& rng);

// Every owner who could has voted on the item already, and no machine of theirs could still bring
// another owner to what most of them say.
bool owners_are_exhausted(const Situation& situation, const Item& item);

// Without an answer, and no machine that is lent now may try it; another may yet come.
bool has_nobody(const Situation& situation, const Item& item);

// How many agreeing votes are enough for the item now: `redundancy`, or one where a trusted machine
// has answered alone.
size_t votes_enough(const Situation& situation, const Item& item, size_t redundancy);

}  // namespace muster::roles::coordinator
