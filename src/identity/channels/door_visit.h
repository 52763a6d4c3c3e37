#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/file.h"
#include "identity/channels/tls.h"
#include "wire/join.h"

namespace muster::identity {

// One connection at the door, at the server's end: a handshake, a request of at most kMostJoinBytes
// behind its length (4 bytes, the highest first), an answer likewise, the end. Blocks never; what
// it waits for is for its owner to watch.
class DoorVisit {
 public:
  // Takes over the socket.
  DoorVisit(Descriptor socket, SSL_CTX* context);

  // Goes on as far as the socket lets it. The request, once, when it is whole: then answer().
  std::optional<std::string> go_on();
  void answer(const std::string& bytes);

  // Whether it waits to read or to write; kEnd: it is over, well or badly.
  [[nodiscard]] tls::Need need() const { return need_; }
  [[nodiscard]] int socket() const { return socket_.fd; }

 private:
  bool greet();
  std::optional<std::string> read();
  void write();

  Descriptor socket_;
  tls::Session session_;
  tls::Need need_ = tls::Need::kRead;
  bool greeted_ = false, asked_ = false;
  std::string incoming_, outgoing_;
};

}  // namespace muster::identity
