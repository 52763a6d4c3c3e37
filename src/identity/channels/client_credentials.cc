#include "identity/channels/client_credentials.h"

namespace muster::identity {

std::shared_ptr<grpc::ChannelCredentials> client_credentials(const std::string& authority,
                                                             const Credentials& own) {
  return grpc::SslCredentials(
      {.pem_root_certs = authority, .pem_private_key = own.key, .pem_cert_chain = own.certificate});
}

void set_server_name(grpc::ChannelArguments& arguments) {
  arguments.SetSslTargetNameOverride(kServerName);
}

}  // namespace muster::identity
