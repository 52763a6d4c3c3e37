#include "io/mesh/pool_service.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <mutex>

#include "roles/message.h"

namespace muster::io {
namespace {

void post(Lines& lines, const std::string& name, pb::Envelope ask) {
  *ask.mutable_from() = roles::address(pb::ROLE_CLIENT, name);
  *ask.mutable_to() = roles::address(pb::ROLE_SERVER);
  lines.inbox.receive(std::move(ask));
}

class Unary final : public grpc::ServerUnaryReactor, public Call {
 public:
  Unary(Lines& lines, std::function<void(const pb::Envelope&)> fill)
      : lines_(lines), fill_(std::move(fill)) {}
  void begin(std::shared_ptr<Unary> self, pb::Envelope ask) {
    self_ = self;
    name_ = lines_.add_call(std::move(self));
    post(lines_, name_, std::move(ask));
  }
  void answer(const pb::Envelope& envelope) override {
    if (finished_.exchange(true)) return;
    fill_(envelope);
    Finish(grpc::Status::OK);
  }
  void OnCancel() override {
    if (!finished_.exchange(true)) Finish(grpc::Status::CANCELLED);
  }
  void OnDone() override {
    lines_.remove_call(name_);
    self_.reset();
  }

 private:
  Lines& lines_;
  std::function<void(const pb::Envelope&)> fill_;
  std::string name_;
  std::atomic<bool> finished_ = false;
  std::shared_ptr<Unary> self_;
};

class Watching final : public grpc::ServerWriteReactor<pb::JobUpdate>, public Call {
 public:
  explicit Watching(Lines& lines) : lines_(lines) {}
  void begin(std::shared_ptr<Watching> self, const pb::Watch& request) {
    self_ = self;
    name_ = lines_.add_call(std::move(self));
    pb::Envelope ask;
    *ask.mutable_watch() = request;
    post(lines_, name_, std::move(ask));
  }
  void answer(const pb::Envelope& envelope) override {
    std::lock_guard lock(mutex_);
    if (finished_) return;
    const pb::JobUpdate& update = envelope.job_update();
    // Only the newest state matters to a slow reader; what was said in words is kept.
    if (!queue_.empty() && queue_.back().message().empty()) queue_.pop_back();
    queue_.push_back(update);
    write_next();
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    const auto state = outgoing_.row().state();
    const bool over = outgoing_.has_failure() || state == pb::JOB_STATE_DONE ||
                      state == pb::JOB_STATE_FAILED || state == pb::JOB_STATE_CANCELLED;
    if (!ok || over) return finish();
    write_next();
  }
  void OnCancel() override {
    std::lock_guard lock(mutex_);
    finish();
  }
  void OnDone() override {
    lines_.remove_call(name_);
    pb::Envelope bye;
    bye.mutable_hang_up();
    post(lines_, name_, std::move(bye));
    self_.reset();
  }

 private:
  void write_next() {
    if (writing_ || finished_ || queue_.empty()) return;
    writing_ = true;
    outgoing_ = std::move(queue_.front());
    queue_.pop_front();
    StartWrite(&outgoing_);
  }
  void finish() {
    if (!std::exchange(finished_, true)) Finish(grpc::Status::OK);
  }
  Lines& lines_;
  std::string name_;
  std::mutex mutex_;
  std::deque<pb::JobUpdate> queue_;
  pb::JobUpdate outgoing_;
  bool writing_ = false, finished_ = false;
  std::shared_ptr<Watching> self_;
};

}  // namespace

grpc::ServerUnaryReactor* PoolService::Submit(grpc::CallbackServerContext*,
                                              const pb::Submit* request, pb::SubmitReply* reply) {
  pb::Envelope ask;
  *ask.mutable_submit() = *request;
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  ask.mutable_submit()->set_received_at_ms(
      std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
  return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.submit_reply(); });
}

grpc::ServerUnaryReactor* PoolService::List(grpc::CallbackServerContext*, const pb::ListJobs*,
                                            pb::JobList* reply) {
  pb::Envelope ask;
  ask.mutable_list_jobs();
  return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.job_list(); });
}

grpc::ServerUnaryReactor* PoolService::Status(grpc::CallbackServerContext*, const pb::GetStatus*,
                                              pb::PoolStatus* reply) {
  pb::Envelope ask;
  ask.mutable_get_status();
  return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.pool_status(); });
}

grpc::ServerUnaryReactor* PoolService::Cancel(grpc::CallbackServerContext*,
                                              const pb::CancelJob* request,
                                              pb::CancelReply* reply) {
  pb::Envelope ask;
  *ask.mutable_cancel_job() = *request;
  return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.cancel_reply(); });
}

grpc::ServerUnaryReactor* PoolService::Why(grpc::CallbackServerContext*, const pb::Why* request,
                                           pb::WhyReply* reply) {
  pb::Envelope ask;
  *ask.mutable_why() = *request;
  return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.why_reply(); });
}

grpc::ServerUnaryReactor* PoolService::Pardon(grpc::CallbackServerContext*,
                                              const pb::Pardon* request, pb::PardonReply* reply) {
  pb::Envelope ask;
  *ask.mutable_pardon() = *request;
  return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.pardon_reply(); });
}

grpc::ServerWriteReactor<pb::JobUpdate>* PoolService::Watch(grpc::CallbackServerContext*,
                                                            const pb::Watch* request) {
  auto watching = std::make_shared<Watching>(lines_);
  watching->begin(watching, *request);
  return watching.get();
}

grpc::ServerUnaryReactor* PoolService::start(pb::Envelope ask, Fill fill) {
  auto unary = std::make_shared<Unary>(lines_, std::move(fill));
  unary->begin(unary, std::move(ask));
  return unary.get();
}

}  // namespace muster::io
