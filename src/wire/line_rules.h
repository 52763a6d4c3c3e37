#pragma once

#include <string>

#include "wire/pb.h"

namespace muster::wire {

// What the server's end of a line asks of everything that a node says, before anything is passed
// on: that a node of this flag has the role it speaks as, that this role may say this body to that
// one, and that no field is over its bound.
struct Verdict {
  bool passes = false;
  std::string why;  // For a person. Empty though it does not pass: a later version's body, which is
                    // held against nobody.
};
Verdict judge(const pb::Envelope& envelope, pb::RoleFlag flag);

}  // namespace muster::wire
