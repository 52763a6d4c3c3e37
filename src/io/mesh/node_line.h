#pragma once

#include <grpcpp/grpcpp.h>

#include <memory>
#include <mutex>
#include <string>

#include "io/mesh/lines.h"
#include "io/mesh/send_queue.h"
#include "muster/v1/pool.grpc.pb.h"

namespace muster::io {

// One node's stream.
class NodeLine final : public grpc::ServerBidiReactor<pb::Envelope, pb::Envelope> {
 public:
  explicit NodeLine(Lines& lines);

  void begin(std::shared_ptr<NodeLine> self);
  void send(pb::Envelope envelope);
  void close();

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { close(); }
  void OnDone() override;

 private:
  void refuse(const std::string& why);
  void take_hello();
  void pass_on();
  void write_next();
  void finish(grpc::StatusCode code);

  Lines& lines_;
  std::string nonce_, machine_;
  pb::RoleFlag flag_ = pb::ROLE_FLAG_UNSPECIFIED;
  std::shared_ptr<NodeLine> self_;  // Until OnDone.
  pb::Envelope incoming_, outgoing_;
  std::mutex mutex_;
  SendQueue queue_;
  bool writing_ = false, closing_ = false, finished_ = false;
};

// Opens a NodeLine for each stream.
class MeshService final : public pb::Mesh::CallbackService {
 public:
  explicit MeshService(Lines& lines) : lines_(lines) {}
  grpc::ServerBidiReactor<pb::Envelope, pb::Envelope>* Connect(
      grpc::CallbackServerContext*) override;

 private:
  Lines& lines_;
};

}  // namespace muster::io
