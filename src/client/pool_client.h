#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "identity/access.h"
#include "wire/pb.h"

namespace muster::client {

// A researcher's side of the Pool service. Gets a certificate of its own for the first call, of a
// key that is kept nowhere. Blocking calls; errors are those of the pool, or kUnavailable when no
// server answers at the address. A connection that nothing passes any more is noticed within 10 s
// and given up; a call has 90 s.
class PoolClient {
 public:
  explicit PoolClient(identity::Access access);
  ~PoolClient();

  // Goes on through a server that is lost meanwhile: what it began under this call's key is found.
  Result<pb::SubmitReply> submit(const pb::JobRequest& request);
  Result<pb::JobList> list();
  Result<pb::PoolStatus> status(bool all = false);
  Result<pb::CancelReply> cancel(const std::string& job);
  Result<pb::WhyReply> why(const std::string& what);
  Result<pb::PardonReply> pardon(const std::string& machine);

  Result<pb::RemoveMachineReply> remove_machine(const std::string& machine, bool drain);

  // A new token, whose secret nobody but the caller ever has. Its id and hash are drawn here.
  struct MadeToken {
    identity::Token token;
    pb::TokenRow row;
  };
  Result<MadeToken> create_token(pb::CreateToken asked);
  Result<pb::TokenList> tokens(bool all);
  Result<pb::RevokeTokenReply> revoke_token(const std::string& id);

  // Follows a job until it is over or `visit` returns false, which sees every change once.
  // kUnavailable when the line broke or fell silent meanwhile: call it again. kPermission: its
  // right to ask was taken from it.
  Status watch(const std::string& job, const std::function<bool(const pb::JobUpdate&)>& visit);
  // Makes a watch() under way return kInterrupted. Safe from any thread.
  void interrupt();

 private:
  struct Line;
  class Watching;
  template <typename Reply, typename Call>
  Result<Reply> call(Call&& send, int tries);
  static bool follow(Watching& watching, const std::function<bool(const pb::JobUpdate&)>& visit);

  std::unique_ptr<Line> line_;
};

}  // namespace muster::client
