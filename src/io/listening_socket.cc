#include "io/listening_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>

namespace muster::io {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Addresses resolve(const Address& address, int family) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const std::string service = std::to_string(address.port);
  if (getaddrinfo(address.host.c_str(), service.c_str(), &hints, &found) != 0) found = nullptr;
  return Addresses(found, freeaddrinfo);
}

// Or -1.
int listen_on(const addrinfo& address) {
  const int fd =
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) return -1;
  const int on = 1, off = 0;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  const bool open =
      ::bind(fd, address.ai_addr, address.ai_addrlen) == 0 && ::listen(fd, SOMAXCONN) == 0;
  if (open) return fd;
  ::close(fd);
  return -1;
}

}  // namespace

Result<int> open_listening_socket(const Address& address, const std::string& flag) {
  bool is_known = false;
  for (int family : {AF_INET, AF_INET6}) {  // "localhost" is 127.0.0.1 to the clients.
    const Addresses found = resolve(address, family);
    is_known |= found != nullptr;
    for (auto* at = found.get(); at != nullptr; at = at->ai_next) {
      if (const int fd = listen_on(*at); fd >= 0) return fd;
    }
  }
  const std::string what = "cannot listen on " + address.text() + ": ";
  if (!is_known) return fail(Code::kUnavailable, what + "no such host is known");
  return fail(Code::kUnavailable, what +
                                      "the port is in use or the address is not this machine's; "
                                      "choose another with " +
                                      flag);
}

}  // namespace muster::io
