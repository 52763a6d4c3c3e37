#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "io/mesh/lines.h"
#include "io/mesh/peer.h"
#include "io/mesh/read_budget.h"
#include "io/mesh/send_queue.h"
#include "muster/v1/pool.grpc.pb.h"

namespace muster::io {

// Who speaks on a line, as it has proven.
struct Speaker {
  std::string machine;
  pb::RoleFlag flag = pb::ROLE_FLAG_UNSPECIFIED;
};

// One node's stream: challenged, proven by a Hello within kHelloWait, then read as fast as the
// server's loop takes it in, and written as fast as the node reads. Only the server's role and what
// is wrong with its own words end it; what others send to it never does.
class NodeLine final : public grpc::ServerBidiReactor<pb::Envelope, pb::Envelope>,
                       public std::enable_shared_from_this<NodeLine> {
 public:
  static constexpr std::chrono::seconds kHelloWait{8};

  // `lines` outlives every callback of the stream, and keeps it. `peer`: whose connection it is.
  NodeLine(Lines& lines, Peer peer);

  void begin();
  // From the machine `sender`, or from the server's role (""). Left out when there is no room.
  void send(pb::Envelope envelope, const std::string& sender);
  // Says Refused and ends.
  void dismiss(const std::string& why, bool for_good = false);
  void close();
  void tick(Lines::Instant now);

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { close(); }
  void OnDone() override;

 private:
  [[nodiscard]] bool is_ending();
  void take_hello();
  void take_envelope();
  void refuse(const std::string& why);
  void give_to_server(pb::Envelope envelope);
  void taken(size_t bytes);
  void read_next();
  void write_next();
  void finish();

  Lines& lines_;
  const Peer peer_;
  const Lines::Instant begun_;
  const std::string nonce_;
  // Only callbacks of reading touch these.
  Speaker speaker_;  // Of nobody until the Hello.
  Lines::Instant refused_since_{};
  int refused_ = 0;  // Told to the server's role since then.
  pb::Envelope incoming_, outgoing_;

  std::mutex mutex_;  // Guards all below, and what is begun on the stream.
  ReadBudget budget_;
  SendQueue queue_;
  Lines::Instant dismissed_;
  bool proven_ = false, reading_ = false, writing_ = false, closing_ = false, finished_ = false;
};

// Opens a NodeLine for each stream. `secure`: of whoever has a certificate of a node.
class MeshService final : public pb::Mesh::CallbackService {
 public:
  MeshService(Lines& lines, bool secure) : lines_(lines), secure_(secure) {}
  grpc::ServerBidiReactor<pb::Envelope, pb::Envelope>* Connect(
      grpc::CallbackServerContext*) override;

 private:
  Lines& lines_;
  const bool secure_;
};

}  // namespace muster::io
