#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "host/ports.h"

namespace muster::io {

// What a node says of itself when it connects; key and signature are added by the line.
struct NodeIdentity {
  pb::RoleFlag role_flag = pb::ROLE_FLAG_AUTO;
  std::string store_id, owner, storage_address, version;
};

// A node's one line, outward to the server: opened, proven, kept, and opened again after it broke
// (soon at first, then every 5 s or so). Tells every role of the process LineUp and LineDown.
class MeshClient final : public host::Net {
 public:
  // `sign` answers a challenge: the public key and the signature over the nonce.
  // `roles` are told of the line. `inbox` outlives the object.
  struct Signer {
    std::string public_key;
    std::function<std::string(std::string_view)> sign;
  };
  MeshClient(std::string server_address, NodeIdentity identity, Signer signer,
             std::vector<pb::Role> roles, host::Inbox& inbox);
  ~MeshClient() override;

  void send(pb::Envelope envelope) override;
  void reopen_line() override;

  // A sentence about the line for the console: connected, lost, refused.
  std::function<void(const std::string&)> on_news = [](const std::string&) {};
  void start();

 private:
  class Line;
  void run();
  void tell_roles(roles::Event event);
  void greet(Line& line, const pb::Challenge& challenge);
  void on_envelope(Line& line, pb::Envelope envelope);

  std::string address_;
  NodeIdentity identity_;
  Signer signer_;
  std::vector<pb::Role> roles_;
  host::Inbox& inbox_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<Line> line_;  // The current one.
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace muster::io
