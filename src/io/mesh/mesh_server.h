#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "identity/authority.h"
#include "io/intake.h"

namespace muster::io {

// The server's end of every line: admits nodes that prove their key, passes envelopes on between
// them, and serves researchers' calls (Pool) and health checks.
//
// One live line per key: the newer wins, unless two machines have the key (mesh/twins.h). Only
// nodes that joined as coordinators may speak as one. What strangers can do to it is bounded:
// connections by address (mesh/listener.h), streams a connection, the time until a Hello, what a
// line may have waiting in the loop and in another's line. Its own certificate is replaced while it
// runs.
class MeshServer final : public host::Net {
 public:
  // `intake` outlives the object.
  explicit MeshServer(Intake& intake);
  ~MeshServer() override;

  // Set before listen(); any thread calls them. A sentence for the console; and that a machine said
  // something that was not passed on, and why.
  std::function<void(const std::string&)> on_news = [](const std::string&) {};
  std::function<void(const std::string& machine, const std::string& why)> on_refusal =
      [](const std::string&, const std::string&) {};

  // Listens. kUnavailable when the port is taken. `authority`, which outlives the object, is the
  // pool's: TLS, and nobody without a certificate of it but at the door. Null: without TLS, and
  // whoever comes is in.
  Status listen(const std::string& host, int port, const identity::Authority* authority);
  // Closes every line and waits until it is quiet.
  void stop();

  void send(pb::Envelope envelope) override;
  // Since it listens. Safe from any thread.
  struct Refused {
    uint64_t connections = 0;  // Over a limit (mesh/listener.h).
    uint64_t messages = 0;     // That their sender may not say, or at such a length.
  };
  [[nodiscard]] Refused refused() const;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace muster::io
