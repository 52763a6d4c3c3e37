#include "roles/server/client_replies.h"

namespace muster::roles::server {

pb::Envelope submit_failure(const std::string& client, const Error& error) {
  pb::Envelope reply = to_client(client);
  *reply.mutable_submit_reply()->mutable_failure() = to_failure(error);
  return reply;
}

pb::Envelope too_many_jobs(const std::string& client) {
  return submit_failure(client,
                        {Code::kTryLater, "a thousand jobs are waiting already; try again later"});
}

pb::Envelope submit_reply(const std::string& client, const pb::JobRow& row, bool attached) {
  pb::Envelope reply = to_client(client);
  reply.mutable_submit_reply()->set_job(row.job());
  reply.mutable_submit_reply()->set_run(row.run());
  reply.mutable_submit_reply()->set_state(row.state());
  reply.mutable_submit_reply()->set_attached(attached);
  return reply;
}

}  // namespace muster::roles::server
