#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "base/result.h"
#include "wire/pb.h"

namespace muster::io {

// Who is at the other end of a connection: what his certificate says, which the handshake has
// checked. Of a server that demands none he is whoever he says, and may do what an operator may.
struct Peer {
  bool is_known = false;  // False: no certificate is demanded here.
  std::string public_key;
  pb::Holder holder;

  // `secure`: a certificate is demanded here. kPermission: there is none, or it is no use.
  static Result<Peer> of(const grpc::CallbackServerContext& context, bool secure);

  // Whether it is a node's that says this of itself, by the rules of wire/pool_role.h. kPermission,
  // with a sentence.
  [[nodiscard]] Status check_node(const std::string& hello_key, pb::RoleFlag flag) const;
};

}  // namespace muster::io
