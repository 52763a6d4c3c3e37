#include "io/mesh/node_line.h"

#include "io/machine_keys.h"
#include "wire/bounds.h"
#include "wire/keys.h"
#include "wire/line_rules.h"

namespace muster::io {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kPartingWait{2};  // For a Refused to be read.
constexpr int kMostTold = 20;  // Refusals of one line in kToldWindow: more say nothing new.
constexpr std::chrono::seconds kToldWindow{60};

}  // namespace

NodeLine::NodeLine(Lines& lines, Peer peer)
    : lines_(lines), peer_(std::move(peer)), begun_(Clock::now()), nonce_(random_bytes(32)) {}

void NodeLine::begin() {
  pb::Envelope envelope;
  envelope.mutable_challenge()->set_nonce(nonce_);
  envelope.mutable_challenge()->set_version(MUSTER_VERSION);
  send(std::move(envelope), "");
  std::lock_guard lock(mutex_);
  read_next();
}

void NodeLine::send(pb::Envelope envelope, const std::string& sender) {
  SendQueue::Pushed pushed;
  const std::string to = envelope.to().machine();
  {
    std::lock_guard lock(mutex_);
    if (finished_ || closing_) return;
    pushed = queue_.push(std::move(envelope), sender);
    write_next();
  }
  if (pushed == SendQueue::Pushed::kTooLarge) lines_.left_out(to, "it is larger than 1 MiB");
  if (pushed == SendQueue::Pushed::kFull) lines_.left_out(to, "too much waits for its line");
}

void NodeLine::dismiss(const std::string& why, bool for_good) {
  std::lock_guard lock(mutex_);
  if (finished_ || std::exchange(closing_, true)) return;
  dismissed_ = Clock::now();
  pb::Envelope envelope;
  envelope.mutable_refused()->set_reason(why);
  envelope.mutable_refused()->set_final(for_good);
  queue_ = {};
  queue_.push(std::move(envelope));
  write_next();
}

void NodeLine::close() {
  std::lock_guard lock(mutex_);
  finish();
}

void NodeLine::tick(Lines::Instant now) {
  std::lock_guard lock(mutex_);
  const bool silent = !proven_ && now - begun_ > kHelloWait;
  const bool deaf = closing_ && now - dismissed_ > kPartingWait;
  if (silent || deaf) finish();
}

bool NodeLine::is_ending() {
  std::lock_guard lock(mutex_);
  return closing_ || finished_;
}

void NodeLine::OnReadDone(bool ok) {
  if (!ok) return close();
  if (!is_ending()) speaker_.machine.empty() ? take_hello() : take_envelope();
  std::lock_guard lock(mutex_);
  incoming_.Clear();
  reading_ = false;
  read_next();
}

void NodeLine::OnWriteDone(bool ok) {
  std::lock_guard lock(mutex_);
  writing_ = false;
  if (!ok || (closing_ && queue_.empty())) return finish();
  write_next();
}

void NodeLine::OnDone() { const auto self = lines_.forget(*this, speaker_.machine); }

void NodeLine::take_hello() {
  pb::Hello hello = incoming_.hello();
  if (!incoming_.has_hello() || !wire::check_bounds(incoming_)) {
    return dismiss("a line begins with a Hello that answers the challenge");
  }
  if (!verify_signature(hello.public_key(), wire::hello_bytes(nonce_), hello.signature())) {
    return dismiss("the signature over the challenge is wrong");
  }
  if (const auto fits = peer_.check_node(hello.public_key(), hello.role_flag()); !fits) {
    return dismiss(fits.error().message);
  }
  const std::string machine = wire::machine_id(hello.public_key());
  if (!lines_.admit(machine, hello.instance(), *this)) return;
  speaker_ = {machine, hello.role_flag()};
  {
    std::lock_guard lock(mutex_);
    proven_ = true;
  }
  pb::Holder holder;
  if (peer_.is_known) {
    holder = peer_.holder;
    hello.set_owner(holder.owner());  // What it says itself was not asked for.
  }
  lines_.intake.post(pb::ROLE_SERVER, roles::NodeJoined{machine, std::move(hello), holder});
}

void NodeLine::take_envelope() {
  pb::Envelope envelope = std::move(incoming_);
  envelope.mutable_from()->set_machine(speaker_.machine);
  envelope.clear_holder();
  const wire::Verdict verdict = wire::judge(envelope, speaker_.flag);
  if (!verdict.passes) return refuse(verdict.why);
  envelope.to().role() == pb::ROLE_SERVER ? give_to_server(std::move(envelope))
                                          : lines_.relay(std::move(envelope));
}

// What a later version says more is held against nobody.
void NodeLine::refuse(const std::string& why) {
  if (why.empty()) return;
  lines_.count_refusal();
  const auto now = Clock::now();
  if (now - refused_since_ > kToldWindow) {
    refused_since_ = now;
    refused_ = 0;
  }
  if (++refused_ <= kMostTold) lines_.refused(speaker_.machine, why);
}

void NodeLine::give_to_server(pb::Envelope envelope) {
  const size_t bytes = envelope.ByteSizeLong();
  {
    std::lock_guard lock(mutex_);
    budget_.put(bytes);
  }
  auto done = [self = shared_from_this(), bytes] { self->taken(bytes); };
  if (!lines_.ask_server(std::move(envelope), std::move(done))) taken(bytes);
}

void NodeLine::taken(size_t bytes) {
  std::lock_guard lock(mutex_);
  budget_.take(bytes);
  read_next();
}

void NodeLine::read_next() {
  if (reading_ || finished_ || budget_.is_spent()) return;
  reading_ = true;
  StartRead(&incoming_);
}

void NodeLine::write_next() {
  if (writing_ || finished_ || queue_.empty()) return;
  writing_ = true;
  outgoing_ = queue_.pop();
  StartWrite(&outgoing_);
}

void NodeLine::finish() {
  if (std::exchange(finished_, true)) return;
  Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "closed"));
}

grpc::ServerBidiReactor<pb::Envelope, pb::Envelope>* MeshService::Connect(
    grpc::CallbackServerContext* context) {
  auto peer = Peer::of(*context, secure_);
  auto line = std::make_shared<NodeLine>(lines_, peer.value_or(Peer{}));
  lines_.open(line);
  peer ? line->begin() : line->dismiss(peer.error().message);
  return line.get();
}

}  // namespace muster::io
