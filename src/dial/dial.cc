#include "dial/dial.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "dial/carrier.h"

namespace muster::dial {
namespace {

tl::unexpected<Error> nobody(const std::string& why) { return fail(Code::kUnavailable, why); }

Result<Descriptor> connect_to(const addrinfo& address, const Patience& patience) {
  Descriptor made(
      ::socket(address.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  const int at_once = 1;
  setsockopt(made.fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
  if (::connect(made.fd, address.ai_addr, address.ai_addrlen) == 0) return made;
  if (errno != EINPROGRESS) return nobody(std::strerror(errno));
  switch (patience.wait(made.fd, POLLOUT)) {
    case Patience::Waited::kReady:
      break;
    case Patience::Waited::kTooLong:
      return nobody("nothing came back in time");
    case Patience::Waited::kGivenUp:
      return fail(Code::kInterrupted, "");
  }
  int error = 0;
  socklen_t bytes = sizeof error;
  getsockopt(made.fd, SOL_SOCKET, SO_ERROR, &error, &bytes);
  if (error != 0) return nobody(std::strerror(error));
  return made;
}

// kUnavailable has the reason alone.
Result<Descriptor> connect_to(const Address& address, const Patience& patience) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (getaddrinfo(address.host.c_str(), port.c_str(), &hints, &found) != 0) {
    return nobody("no such host is known");
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> held(found, freeaddrinfo);
  size_t left = 0;
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next) ++left;
  Error last{Code::kUnavailable, "it has no address"};
  for (const addrinfo* at = found; at != nullptr; at = at->ai_next, --left) {
    auto socket = connect_to(*at, patience.part(left));
    if (socket || socket.error().code == Code::kInterrupted) return socket;
    last = socket.error();
  }
  return fail(last);
}

// The reason in a sentence.
Error told(Error why, const Route& route) {
  if (why.code != Code::kUnavailable) return why;
  why.message = route.proxy ? route.proxy->shown() + " does not answer (" + why.message +
                                  "); check it, or go without by --proxy none"
                            : "no muster server answers at " + route.address + " (" + why.message +
                                  "); check --ip and --port, or start 'muster server'";
  return why;
}

}  // namespace

Result<Descriptor> dial(const Route& route, const Patience& patience) {
  MUSTER_TRY(const Address server, parse_address(route.address));
  auto socket = connect_to(route.proxy ? route.proxy->address : server, patience);
  if (!socket) return fail(told(socket.error(), route));
  if (route.proxy) MUSTER_TRY_STATUS(ask_to_carry(socket->fd, *route.proxy, server, patience));
  return socket;
}

}  // namespace muster::dial
