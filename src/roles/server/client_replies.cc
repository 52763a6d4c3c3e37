#include "roles/server/client_replies.h"

#include "wire/failure.h"

namespace muster::roles::server {

pb::Envelope submit_failure(const std::string& client, const Error& error) {
  pb::Envelope reply = to_client(client);
  *reply.mutable_submit_reply()->mutable_failure() = to_failure(error);
  return reply;
}

pb::Envelope failed(const pb::Envelope& call, const Error& error) {
  pb::Envelope reply = to_client(call.from().machine());
  const pb::Failure failure = to_failure(error);
  if (call.has_submit()) *reply.mutable_submit_reply()->mutable_failure() = failure;
  if (call.has_watch()) *reply.mutable_job_update()->mutable_failure() = failure;
  if (call.has_cancel_job()) *reply.mutable_cancel_reply()->mutable_failure() = failure;
  if (call.has_why()) *reply.mutable_why_reply()->mutable_failure() = failure;
  if (call.has_join()) *reply.mutable_join_reply()->mutable_failure() = failure;
  if (call.has_remove_machine()) {
    *reply.mutable_remove_machine_reply()->mutable_failure() = failure;
  }
  if (call.has_list_jobs()) *reply.mutable_job_list()->mutable_failure() = failure;
  return reply;
}

pb::Envelope refusal(const std::string& client, const std::string& why) {
  pb::Envelope reply = to_client(client);
  reply.mutable_refused()->set_reason(why);
  reply.mutable_refused()->set_final(true);
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
