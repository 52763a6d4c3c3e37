#pragma once

#include <functional>

#include "io/mesh/lines.h"
#include "muster/v1/pool.grpc.pb.h"

namespace muster::io {

// Turns a researcher's call into an envelope to the server role, and the answer into a reply.
// `secure`: a certificate is demanded, and the role hears what it says.
class PoolService final : public pb::Pool::CallbackService {
 public:
  PoolService(Lines& lines, bool secure) : lines_(lines), secure_(secure) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext*, const pb::Submit* request,
                                   pb::SubmitReply* reply) override;
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext*, const pb::ListJobs*,
                                 pb::JobList* reply) override;
  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext*, const pb::GetStatus*,
                                   pb::PoolStatus* reply) override;
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext*, const pb::CancelJob* request,
                                   pb::CancelReply* reply) override;
  grpc::ServerUnaryReactor* Why(grpc::CallbackServerContext*, const pb::Why* request,
                                pb::WhyReply* reply) override;
  grpc::ServerUnaryReactor* Pardon(grpc::CallbackServerContext*, const pb::Pardon* request,
                                   pb::PardonReply* reply) override;
  grpc::ServerUnaryReactor* RemoveMachine(grpc::CallbackServerContext*,
                                          const pb::RemoveMachine* request,
                                          pb::RemoveMachineReply* reply) override;
  grpc::ServerUnaryReactor* CreateToken(grpc::CallbackServerContext*,
                                        const pb::CreateToken* request,
                                        pb::CreateTokenReply* reply) override;
  grpc::ServerUnaryReactor* ListTokens(grpc::CallbackServerContext*, const pb::ListTokens* request,
                                       pb::TokenList* reply) override;
  grpc::ServerUnaryReactor* RevokeToken(grpc::CallbackServerContext*,
                                        const pb::RevokeToken* request,
                                        pb::RevokeTokenReply* reply) override;
  grpc::ServerWriteReactor<pb::JobUpdate>* Watch(grpc::CallbackServerContext*,
                                                 const pb::Watch* request) override;

 private:
  using Fill = std::function<void(const pb::Envelope&)>;
  grpc::ServerUnaryReactor* start(const grpc::CallbackServerContext& context, pb::Envelope ask,
                                  Fill fill);

  Lines& lines_;
  const bool secure_;
};

}  // namespace muster::io
