#pragma once

#include <string>

#include "roles/role.h"
#include "wire/envelope.h"
#include "wire/pb.h"

namespace muster::roles::server {

// What a researcher's call is answered with. `client` is the call's number.
inline pb::Envelope to_client(const std::string& client) {
  return envelope_to(address(pb::ROLE_CLIENT, client));
}
pb::Envelope submit_failure(const std::string& client, const Error& error);
// To a call that waited for the database.
pb::Envelope failed(const pb::Envelope& call, const Error& error);
// He may not ask: to whatever call.
pb::Envelope refusal(const std::string& client, const std::string& why);
// The bound of what waits, in whatever queue, was reached.
pb::Envelope too_many_jobs(const std::string& client);
// The job as its row says; `attached`: it was there before this submission.
pb::Envelope submit_reply(const std::string& client, const pb::JobRow& row, bool attached);

}  // namespace muster::roles::server
