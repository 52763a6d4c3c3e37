#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "io/intake.h"
#include "io/mesh/membership.h"
#include "io/mesh/seldom.h"
#include "io/mesh/send_queue.h"

namespace muster::io {

// What a node says of itself when it connects; key and signature are added by the line.
struct NodeIdentity {
  pb::RoleFlag role_flag = pb::ROLE_FLAG_AUTO;
  std::string store_id, owner, storage_address, version;
  pb::Hardware hardware;
};

// A node's one line, outward to the server: opened, proven, kept, and opened again after it broke
// (soon at first, then every 5 s or so). Each line is a connection of its own: one that is half
// dead does not become the next line's, and the server's name is looked up anew for it. From its
// start to the first word of the server beside the challenge a line has kOpenWait. Tells every role
// of the process LineUp and LineDown.
//
// Reads on as the process's loop takes in what came; leaves out what finds no room in its send
// queue, or is too large for anybody (mesh/limits.h).
class MeshClient final : public host::Net {
 public:
  static constexpr std::chrono::seconds kOpenWait{8};

  // `membership` says where the server is, and lets the node in. `sign` proves the key to the
  // server that challenges. `roles` are told of the line. `membership` and `intake` outlive the
  // object.
  struct Signer {
    std::string public_key;
    std::function<std::string(std::string_view)> sign;
  };
  MeshClient(Membership& membership, NodeIdentity identity, Signer signer,
             std::vector<pb::Role> roles, Intake& intake);
  ~MeshClient() override;

  void send(pb::Envelope envelope) override;
  void reopen_line() override;

  // A sentence about the line for the console: connected, lost, refused.
  std::function<void(const std::string&)> on_news = [](const std::string&) {};
  // The server does not let this node in, and never will: nothing is tried any more.
  std::function<void(const Error&)> on_denied = [](const Error&) {};
  void start();
  // The server has let this node in, on the line that there is. Safe from any thread.
  [[nodiscard]] bool is_up() const { return up_; }

 private:
  class Line;
  void run();
  Result<std::shared_ptr<Line>> make_line();
  std::shared_ptr<Line> open_line();
  void tell_roles(const roles::Event& event);
  pb::Envelope hello_to(const pb::Challenge& challenge) const;
  void on_admitted();
  void on_refused(const pb::Refused& refused);

  void on_left_out(SendQueue::Pushed pushed);

  Membership& membership_;
  std::atomic<bool> up_ = false;
  NodeIdentity identity_;
  Signer signer_;
  std::vector<pb::Role> roles_;
  Intake& intake_;
  const std::string instance_;  // Of this process.
  Seldom left_out_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::shared_ptr<Line> line_;  // The current one.
  std::string refusal_;         // Told already.
  std::string trouble_;         // Told already. Only run() touches it.
  bool stopped_ = false, dismissed_ = false;
  std::thread thread_;
};

}  // namespace muster::io
