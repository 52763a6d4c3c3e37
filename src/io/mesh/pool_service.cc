#include "io/mesh/pool_service.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>
#include <optional>

#include "io/mesh/limits.h"
#include "io/mesh/peer.h"
#include "wire/bounds.h"
#include "wire/envelope.h"
#include "wire/failure.h"
#include "wire/job_state.h"

namespace muster::io {
namespace {

constexpr std::chrono::seconds kAnswerWait{120};  // The clients' own deadline is sooner.
constexpr std::chrono::seconds kRepeatEvery{2};
constexpr const char* kBehind = "the server is busy; try again soon";

bool post(Lines& lines, const std::string& name, pb::Envelope ask) {
  *ask.mutable_from() = wire::address(pb::ROLE_CLIENT, name);
  *ask.mutable_to() = wire::address(pb::ROLE_SERVER);
  return lines.ask_server(std::move(ask), [] {});
}

// Nobody waits for the call's answers any more.
void hang_up(Lines& lines, const std::string& name) {
  pb::Envelope bye;
  bye.mutable_hang_up();
  post(lines, name, std::move(bye));
}

grpc::Status denied(const std::string& why) { return {grpc::StatusCode::PERMISSION_DENIED, why}; }

pb::Envelope refusal(const Error& error) {
  pb::Envelope envelope;
  *envelope.mutable_submit_reply()->mutable_failure() = wire::to_failure(error);
  return envelope;
}

class Unary final : public grpc::ServerUnaryReactor, public Call {
 public:
  Unary(Lines& lines, std::function<void(const pb::Envelope&)> fill)
      : lines_(lines), fill_(std::move(fill)), begun_(std::chrono::steady_clock::now()) {}
  void begin(std::shared_ptr<Unary> self, pb::Envelope ask, const Result<Peer>& peer) {
    self_ = self;
    name_ = lines_.add_call(std::move(self));
    if (!peer) return end(denied(peer.error().message));
    *ask.mutable_holder() = peer->holder;
    if (const Status checked = wire::check_bounds(ask); !checked) {
      if (ask.has_submit()) return answer(refusal(checked.error()));
      return end({grpc::StatusCode::INVALID_ARGUMENT, checked.error().message});
    }
    if (post(lines_, name_, std::move(ask))) return;
    end({grpc::StatusCode::RESOURCE_EXHAUSTED, kBehind});
  }
  void answer(const pb::Envelope& envelope) override {
    if (finished_.exchange(true)) return;
    answered_ = true;
    if (envelope.has_refused()) return Finish(denied(envelope.refused().reason()));
    fill_(envelope);
    Finish(grpc::Status::OK);
  }
  void tick(Instant now) override {
    if (now - begun_ < kAnswerWait) return;
    end({grpc::StatusCode::DEADLINE_EXCEEDED, "the server had no answer"});
  }
  void OnCancel() override { end(grpc::Status::CANCELLED); }
  void OnDone() override {
    lines_.remove_call(name_);
    if (!answered_) hang_up(lines_, name_);
    self_.reset();
  }

 private:
  void end(const grpc::Status& status) {
    if (!finished_.exchange(true)) Finish(status);
  }

  Lines& lines_;
  std::function<void(const pb::Envelope&)> fill_;
  const Instant begun_;
  std::string name_;
  std::atomic<bool> finished_ = false, answered_ = false;
  std::shared_ptr<Unary> self_;
};

// Tells every change, and what is known again after kRepeatEvery without one: a sign of life.
class Watching final : public grpc::ServerWriteReactor<pb::JobUpdate>, public Call {
 public:
  explicit Watching(Lines& lines) : lines_(lines) {}
  void begin(std::shared_ptr<Watching> self, const pb::Watch& request, const Result<Peer>& peer) {
    self_ = self;
    name_ = lines_.add_call(std::move(self));
    if (!peer) {
      std::lock_guard lock(mutex_);
      return finish(denied(peer.error().message));
    }
    pb::Envelope ask;
    *ask.mutable_holder() = peer->holder;
    *ask.mutable_watch() = request;
    if (post(lines_, name_, std::move(ask))) return;
    std::lock_guard lock(mutex_);
    finish({grpc::StatusCode::UNAVAILABLE, kBehind});
  }
  void answer(const pb::Envelope& envelope) override {
    std::lock_guard lock(mutex_);
    if (finished_) return;
    if (envelope.has_refused()) return finish(denied(envelope.refused().reason()));
    const pb::JobUpdate& update = envelope.job_update();
    // Only the newest state matters to a slow reader; what was said in words is kept.
    if (!queue_.empty() && queue_.back().message().empty()) queue_.pop_back();
    queue_.push_back(update);
    if (queue_.size() > kMostWaiting) queue_.pop_front();
    write_next();
  }
  void tick(Instant now) override {
    std::lock_guard lock(mutex_);
    if (writing_ || !written_ || now - *written_ < kRepeatEvery) return;
    queue_.push_back(outgoing_);
    queue_.back().clear_message();
    write_next();
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    written_ = std::chrono::steady_clock::now();
    const bool over = outgoing_.has_failure() || wire::is_over(outgoing_.row().state());
    if (!ok || over) return finish(grpc::Status::OK);
    write_next();
  }
  void OnCancel() override {
    std::lock_guard lock(mutex_);
    finish(grpc::Status::OK);
  }
  void OnDone() override {
    lines_.remove_call(name_);
    hang_up(lines_, name_);
    self_.reset();
  }

 private:
  static constexpr size_t kMostWaiting = 100;  // Then the oldest words are left out.

  void write_next() {
    if (writing_ || finished_ || queue_.empty()) return;
    writing_ = true;
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    StartWrite(&outgoing_);
  }
  void finish(const grpc::Status& status) {
    if (!std::exchange(finished_, true)) Finish(status);
  }

  Lines& lines_;
  std::string name_;
  std::mutex mutex_;
  std::deque<pb::JobUpdate> queue_;  // kMostWaiting.
  pb::JobUpdate outgoing_;           // The last one, too, when nothing is being written.
  std::optional<Instant> written_;
  bool writing_ = false, finished_ = false;
  std::shared_ptr<Watching> self_;
};

}  // namespace

grpc::ServerUnaryReactor* PoolService::Submit(grpc::CallbackServerContext* context,
                                              const pb::Submit* request, pb::SubmitReply* reply) {
  pb::Envelope ask;
  *ask.mutable_submit() = *request;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  ask.mutable_submit()->set_received_at_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.submit_reply(); });
}

grpc::ServerUnaryReactor* PoolService::List(grpc::CallbackServerContext* context,
                                            const pb::ListJobs*, pb::JobList* reply) {
  pb::Envelope ask;
  ask.mutable_list_jobs();
  return start(*context, std::move(ask), [reply](const pb::Envelope& e) { *reply = e.job_list(); });
}

grpc::ServerUnaryReactor* PoolService::Status(grpc::CallbackServerContext* context,
                                              const pb::GetStatus* request, pb::PoolStatus* reply) {
  pb::Envelope ask;
  *ask.mutable_get_status() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.pool_status(); });
}

grpc::ServerUnaryReactor* PoolService::Cancel(grpc::CallbackServerContext* context,
                                              const pb::CancelJob* request,
                                              pb::CancelReply* reply) {
  pb::Envelope ask;
  *ask.mutable_cancel_job() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.cancel_reply(); });
}

grpc::ServerUnaryReactor* PoolService::Why(grpc::CallbackServerContext* context,
                                           const pb::Why* request, pb::WhyReply* reply) {
  pb::Envelope ask;
  *ask.mutable_why() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.why_reply(); });
}

grpc::ServerUnaryReactor* PoolService::Pardon(grpc::CallbackServerContext* context,
                                              const pb::Pardon* request, pb::PardonReply* reply) {
  pb::Envelope ask;
  *ask.mutable_pardon() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.pardon_reply(); });
}

grpc::ServerUnaryReactor* PoolService::RemoveMachine(grpc::CallbackServerContext* context,
                                                     const pb::RemoveMachine* request,
                                                     pb::RemoveMachineReply* reply) {
  pb::Envelope ask;
  *ask.mutable_remove_machine() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.remove_machine_reply(); });
}

grpc::ServerUnaryReactor* PoolService::CreateToken(grpc::CallbackServerContext* context,
                                                   const pb::CreateToken* request,
                                                   pb::CreateTokenReply* reply) {
  pb::Envelope ask;
  *ask.mutable_create_token() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.create_token_reply(); });
}

grpc::ServerUnaryReactor* PoolService::ListTokens(grpc::CallbackServerContext* context,
                                                  const pb::ListTokens* request,
                                                  pb::TokenList* reply) {
  pb::Envelope ask;
  *ask.mutable_list_tokens() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.token_list(); });
}

grpc::ServerUnaryReactor* PoolService::RevokeToken(grpc::CallbackServerContext* context,
                                                   const pb::RevokeToken* request,
                                                   pb::RevokeTokenReply* reply) {
  pb::Envelope ask;
  *ask.mutable_revoke_token() = *request;
  return start(*context, std::move(ask),
               [reply](const pb::Envelope& e) { *reply = e.revoke_token_reply(); });
}

grpc::ServerWriteReactor<pb::JobUpdate>* PoolService::Watch(grpc::CallbackServerContext* context,
                                                            const pb::Watch* request) {
  auto watching = std::make_shared<Watching>(lines_);
  watching->begin(watching, *request, Peer::of(*context, secure_));
  return watching.get();
}

grpc::ServerUnaryReactor* PoolService::start(const grpc::CallbackServerContext& context,
                                             pb::Envelope ask, Fill fill) {
  auto unary = std::make_shared<Unary>(lines_, std::move(fill));
  unary->begin(unary, std::move(ask), Peer::of(context, secure_));
  return unary.get();
}

}  // namespace muster::io
