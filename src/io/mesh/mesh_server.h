#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "host/ports.h"

namespace muster::io {

// The server's end of every line: admits nodes that prove their key, passes envelopes on between
// them, and serves researchers' calls (Pool) and health checks.
//
// One live line per key: the newer wins. Only nodes that joined as coordinators may speak as one.
class MeshServer final : public host::Net {
 public:
  // `inbox` outlives the object.
  explicit MeshServer(host::Inbox& inbox);
  ~MeshServer() override;

  // Listens. kUnavailable when the port is taken.
  Status listen(const std::string& host, int port);
  // Closes every line and waits until it is quiet.
  void stop();

  void send(pb::Envelope envelope) override;

 private:
  struct Running;
  std::unique_ptr<Running> running_;
};

}  // namespace muster::io
