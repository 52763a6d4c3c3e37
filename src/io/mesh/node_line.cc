#include "io/mesh/node_line.h"

#include "io/machine_keys.h"
#include "roles/keys.h"

namespace muster::io {
namespace {

bool may_speak_as(pb::Role role, pb::RoleFlag flag) {
  const bool coordinator = flag == pb::ROLE_FLAG_COORDINATOR;
  if (role == pb::ROLE_COORDINATOR) return coordinator;
  return !coordinator && (role == pb::ROLE_WORKER || role == pb::ROLE_STORAGE);
}

}  // namespace

NodeLine::NodeLine(Lines& lines) : lines_(lines), nonce_(random_bytes(32)) {}

void NodeLine::begin(std::shared_ptr<NodeLine> self) {
  self_ = std::move(self);
  pb::Envelope envelope;
  envelope.mutable_challenge()->set_nonce(nonce_);
  envelope.mutable_challenge()->set_version(MUSTER_VERSION);
  send(std::move(envelope));
  StartRead(&incoming_);
}

void NodeLine::send(pb::Envelope envelope) {
  std::lock_guard lock(mutex_);
  if (finished_) return;
  const bool last = envelope.has_refused();
  if (!queue_.push(std::move(envelope))) return finish(grpc::StatusCode::RESOURCE_EXHAUSTED);
  closing_ |= last;
  write_next();
}

void NodeLine::close() {
  std::lock_guard lock(mutex_);
  finish(grpc::StatusCode::UNAVAILABLE);
}

void NodeLine::OnReadDone(bool ok) {
  if (!ok) return close();
  machine_.empty() ? take_hello() : pass_on();
  incoming_.Clear();
  StartRead(&incoming_);
}

void NodeLine::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok || (closing_ && queue_.empty())) return finish(grpc::StatusCode::UNAVAILABLE);
  write_next();
}

void NodeLine::OnDone() {
  if (!machine_.empty() && lines_.remove(machine_, this)) {
    lines_.inbox.post(pb::ROLE_SERVER, roles::NodeLeft{machine_});
  }
  self_.reset();
}

void NodeLine::refuse(const std::string& why) {
  pb::Envelope envelope;
  envelope.mutable_refused()->set_reason(why);
  send(std::move(envelope));
}

void NodeLine::take_hello() {
  if (!incoming_.has_hello()) return;
  const pb::Hello& hello = incoming_.hello();
  if (!verify_signature(hello.public_key(), nonce_, hello.signature())) {
    return refuse("the signature over the challenge is wrong");
  }
  flag_ = hello.role_flag();
  machine_ = roles::machine_id(hello.public_key());
  lines_.admit(machine_, self_);
  lines_.inbox.post(pb::ROLE_SERVER, roles::NodeJoined{machine_, hello});
}

void NodeLine::pass_on() {
  const bool heartbeat = incoming_.has_heartbeat();
  if (!heartbeat && !may_speak_as(incoming_.from().role(), flag_)) return;
  incoming_.mutable_from()->set_machine(machine_);
  lines_.deliver(std::move(incoming_));
}

void NodeLine::write_next() {
  if (writing_ || finished_ || queue_.empty()) return;
  writing_ = true;
  outgoing_ = queue_.pop();
  StartWrite(&outgoing_);
}

void NodeLine::finish(grpc::StatusCode code) {
  if (std::exchange(finished_, true)) return;
  Finish(grpc::Status(code, "closed"));
}

grpc::ServerBidiReactor<pb::Envelope, pb::Envelope>* MeshService::Connect(
    grpc::CallbackServerContext*) {
  auto line = std::make_shared<NodeLine>(lines_);
  line->begin(line);
  return line.get();
}

}  // namespace muster::io
