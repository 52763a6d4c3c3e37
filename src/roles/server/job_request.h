#pragma once

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles::server {

// Whether a job can be what is asked for, whoever asks: the tasks are known and each is named once,
// every number is one that means something, names and hashes are such. `muster run` refuses the
// same earlier, and in words nearer to its flags; another client may not.
//
// kUnsupported for a task that is not known, kInvalidArgument for anything else.
Status check_request(const pb::JobRequest& request);
// The same of what a model was pinned to, by a client (a directory) or by a coordinator (the Hub).
Status check_pin(const pb::ModelPin& pin);

}  // namespace muster::roles::server
