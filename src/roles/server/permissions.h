#pragma once

#include <string>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::roles::server {

// Whether a call's holder may ask for what it asks: a researcher for jobs, an operator for all, a
// node for nothing, nor whoever has no role. kPermission, in words for him.
Status may_ask(const pb::Envelope& call);
// Whose a job that he begins is: an operator's is no researcher's (empty).
std::string researcher_of(const pb::Holder& holder);
// Whether he may end this job: it is his, or he is an operator.
Status may_cancel(const pb::Holder& holder, const pb::JobRow& job);

}  // namespace muster::roles::server
