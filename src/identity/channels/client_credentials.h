#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>

#include "identity/authority.h"

namespace muster::identity {

// Of a connection from whoever has `own` to the server of the pool whose authority this is: any
// other server fails the handshake, whatever its address. The server's name has to be asked for
// by set_server_name() on the same channel.
std::shared_ptr<grpc::ChannelCredentials> client_credentials(const std::string& authority,
                                                             const Credentials& own);
void set_server_name(grpc::ChannelArguments& arguments);

}  // namespace muster::identity
