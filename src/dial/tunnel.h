#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/file.h"
#include "base/result.h"
#include "dial/dialer.h"

namespace muster::dial {

// A near end for who can only be given an address to connect to, which is gRPC: a socket of this
// process, of which each connection, one at a time, is carried on to the server through its proxy
// (dial.h). gRPC 1.51 can do CONNECT itself, but takes headers without end (5 GB in 4 s), reads
// no_proxy in a way of its own, and calls all that may be wrong UNAVAILABLE.
//
// Whoever connects and is not this process is sent away. Holds 64 KiB each way.
class Tunnel {
 public:
  // For one attempt: less than its user waits, so that he hears why.
  static constexpr std::chrono::seconds kWait{4};

  // `dialer` knows the way, and why there is none; it outlives the object. kFailed: this process
  // has no socket left.
  static Result<std::unique_ptr<Tunnel>> open(Dialer& dialer);
  // Ends what it carries; takes a fifth of a second at most, and a look-up of a name under way.
  ~Tunnel();
  Tunnel(const Tunnel&) = delete;
  Tunnel& operator=(const Tunnel&) = delete;

  // As gRPC takes it.
  [[nodiscard]] std::string target() const { return "unix-abstract:" + name_; }

 private:
  Tunnel(Dialer& dialer, std::string name, Descriptor listener, Descriptor stop);
  void run();

  Dialer& dialer_;
  const std::string name_;
  const Descriptor listener_, stop_;  // `stop_` can be read from the end on.
  std::atomic<bool> given_up_ = false;
  std::thread thread_;  // Last: it uses all of the above.
};

}  // namespace muster::dial
