#pragma once

#include <string>
#include <vector>

#include "wire/pb.h"

namespace muster::wire {

// Who may say what to whom: one row a body, no default. Asked at the server's end of every line
// before anything is passed on, and by each process before a role hears anything. That a body may
// be said by a worker to a coordinator does not say which: that is the roles' to check.
bool may_say(pb::Role from, pb::Role to, pb::Envelope::BodyCase body);

// Whether a node that joined with this flag has such a role.
bool may_speak_as(pb::Role role, pb::RoleFlag flag);

// The row of a body, for docs/protocol.md: "worker, coordinator -> storage". Empty: nobody may say
// it once a line is open.
std::string who_says(pb::Envelope::BodyCase body);

// Every body that has a row, in the order of the table.
std::vector<pb::Envelope::BodyCase> bodies();

}  // namespace muster::wire
