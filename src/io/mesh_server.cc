#include "io/mesh_server.h"

#include <grpcpp/grpcpp.h>

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>

#include "io/machine_keys.h"
#include "io/send_queue.h"
#include "muster/v1/pool.grpc.pb.h"
#include "roles/keys.h"
#include "roles/message.h"

namespace muster::io {
namespace {

constexpr int kMaxMessageBytes = 4 << 20;

bool may_speak_as(pb::Role role, pb::RoleFlag flag) {
  const bool coordinator = flag == pb::ROLE_FLAG_COORDINATOR;
  if (role == pb::ROLE_COORDINATOR) return coordinator;
  return !coordinator && (role == pb::ROLE_WORKER || role == pb::ROLE_STORAGE);
}

}  // namespace

// What waits for an answer to a researcher's call.
class Call {
 public:
  virtual ~Call() = default;
  virtual void answer(const pb::Envelope& envelope) = 0;
};

// Who is connected. Guards itself; calls nobody with the lock held.
class MeshServer::Lines {
 public:
  class Line;
  explicit Lines(host::Inbox& inbox) : inbox(inbox) {}

  void admit(const std::string& machine, std::shared_ptr<Line> line);
  bool remove(const std::string& machine, const Line* line);
  std::shared_ptr<Line> find(const std::string& machine);
  void deliver(pb::Envelope envelope);
  void cancel_all();

  std::string add_call(std::shared_ptr<Call> call) {
    std::lock_guard lock(mutex_);
    const std::string name = "call-" + std::to_string(++next_call_);
    calls_[name] = std::move(call);
    return name;
  }
  void remove_call(const std::string& name) {
    std::lock_guard lock(mutex_);
    calls_.erase(name);
  }

  host::Inbox& inbox;

 private:
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Line>> lines_;
  std::map<std::string, std::shared_ptr<Call>> calls_;
  uint64_t next_call_ = 0;
};

// One node's stream.
class MeshServer::Lines::Line final : public grpc::ServerBidiReactor<pb::Envelope, pb::Envelope> {
 public:
  explicit Line(Lines& lines) : lines_(lines), nonce_(random_bytes(32)) {}

  void begin(std::shared_ptr<Line> self) {
    self_ = std::move(self);
    pb::Envelope envelope;
    envelope.mutable_challenge()->set_nonce(nonce_);
    envelope.mutable_challenge()->set_version(MUSTER_VERSION);
    send(std::move(envelope));
    StartRead(&incoming_);
  }

  void send(pb::Envelope envelope) {
    std::lock_guard lock(mutex_);
    if (finished_) return;
    const bool last = envelope.has_refused();
    if (!queue_.push(std::move(envelope))) return finish(grpc::StatusCode::RESOURCE_EXHAUSTED);
    closing_ |= last;
    write_next();
  }
  void close() {
    std::lock_guard lock(mutex_);
    finish(grpc::StatusCode::UNAVAILABLE);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return close();
    machine_.empty() ? take_hello() : pass_on();
    incoming_.Clear();
    StartRead(&incoming_);
  }
  void OnWriteDone(bool ok) override {
    std::lock_guard lock(mutex_);
    writing_ = false;
    if (!ok || (closing_ && queue_.empty())) return finish(grpc::StatusCode::UNAVAILABLE);
    write_next();
  }
  void OnCancel() override { close(); }
  void OnDone() override {
    if (!machine_.empty() && lines_.remove(machine_, this)) {
      lines_.inbox.post(pb::ROLE_SERVER, roles::NodeLeft{machine_});
    }
    self_.reset();
  }

 private:
  void refuse(const std::string& why) {
    pb::Envelope envelope;
    envelope.mutable_refused()->set_reason(why);
    send(std::move(envelope));
  }
  void take_hello() {
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
  void pass_on() {
    const bool heartbeat = incoming_.has_heartbeat();
    if (!heartbeat && !may_speak_as(incoming_.from().role(), flag_)) return;
    incoming_.mutable_from()->set_machine(machine_);
    lines_.deliver(std::move(incoming_));
  }
  void write_next() {
    if (writing_ || finished_ || queue_.empty()) return;
    writing_ = true;
    outgoing_ = queue_.pop();
    StartWrite(&outgoing_);
  }
  void finish(grpc::StatusCode code) {
    if (std::exchange(finished_, true)) return;
    Finish(grpc::Status(code, "closed"));
  }

  Lines& lines_;
  std::string nonce_, machine_;
  pb::RoleFlag flag_ = pb::ROLE_FLAG_UNSPECIFIED;
  std::shared_ptr<Line> self_;  // Until OnDone.
  pb::Envelope incoming_, outgoing_;
  std::mutex mutex_;
  SendQueue queue_;
  bool writing_ = false, closing_ = false, finished_ = false;
};

void MeshServer::Lines::admit(const std::string& machine, std::shared_ptr<Line> line) {
  std::shared_ptr<Line> older;
  {
    std::lock_guard lock(mutex_);
    older = std::exchange(lines_[machine], std::move(line));
  }
  if (older) older->close();
}

bool MeshServer::Lines::remove(const std::string& machine, const Line* line) {
  std::lock_guard lock(mutex_);
  auto found = lines_.find(machine);
  if (found == lines_.end() || found->second.get() != line) return false;
  lines_.erase(found);
  return true;
}

std::shared_ptr<MeshServer::Lines::Line> MeshServer::Lines::find(const std::string& machine) {
  std::lock_guard lock(mutex_);
  auto found = lines_.find(machine);
  return found == lines_.end() ? nullptr : found->second;
}

void MeshServer::Lines::deliver(pb::Envelope envelope) {
  const pb::Address& to = envelope.to();
  if (to.role() == pb::ROLE_SERVER) return inbox.receive(std::move(envelope));
  if (to.role() == pb::ROLE_CLIENT) {
    std::shared_ptr<Call> call;
    {
      std::lock_guard lock(mutex_);
      if (auto found = calls_.find(to.machine()); found != calls_.end()) call = found->second;
    }
    if (call && envelope.from().role() == pb::ROLE_SERVER) call->answer(envelope);
    return;
  }
  if (auto line = find(to.machine())) line->send(std::move(envelope));
}

void MeshServer::Lines::cancel_all() {
  std::map<std::string, std::shared_ptr<Line>> lines;
  {
    std::lock_guard lock(mutex_);
    lines = lines_;
  }
  for (auto& [machine, line] : lines) line->close();
}

class MeshServer::Mesh final : public pb::Mesh::CallbackService {
 public:
  explicit Mesh(Lines& lines) : lines_(lines) {}
  grpc::ServerBidiReactor<pb::Envelope, pb::Envelope>* Connect(
      grpc::CallbackServerContext*) override {
    auto line = std::make_shared<Lines::Line>(lines_);
    line->begin(line);
    return line.get();
  }

 private:
  Lines& lines_;
};

// Turns a researcher's call into an envelope to the server role, and the answer into a reply.
class MeshServer::Pool final : public pb::Pool::CallbackService {
 public:
  explicit Pool(Lines& lines) : lines_(lines) {}

  grpc::ServerUnaryReactor* Submit(grpc::CallbackServerContext*, const pb::Submit* request,
                                   pb::SubmitReply* reply) override {
    pb::Envelope ask;
    *ask.mutable_submit() = *request;
    const auto since = std::chrono::system_clock::now().time_since_epoch();
    ask.mutable_submit()->set_received_at_ms(
        std::chrono::duration_cast<std::chrono::milliseconds>(since).count());
    return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.submit_reply(); });
  }
  grpc::ServerUnaryReactor* List(grpc::CallbackServerContext*, const pb::ListJobs*,
                                 pb::JobList* reply) override {
    pb::Envelope ask;
    ask.mutable_list_jobs();
    return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.job_list(); });
  }
  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext*, const pb::GetStatus*,
                                   pb::PoolStatus* reply) override {
    pb::Envelope ask;
    ask.mutable_get_status();
    return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.pool_status(); });
  }
  grpc::ServerUnaryReactor* Cancel(grpc::CallbackServerContext*, const pb::CancelJob* request,
                                   pb::CancelReply* reply) override {
    pb::Envelope ask;
    *ask.mutable_cancel_job() = *request;
    return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.cancel_reply(); });
  }
  grpc::ServerUnaryReactor* Why(grpc::CallbackServerContext*, const pb::Why* request,
                                pb::WhyReply* reply) override {
    pb::Envelope ask;
    *ask.mutable_why() = *request;
    return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.why_reply(); });
  }
  grpc::ServerUnaryReactor* Pardon(grpc::CallbackServerContext*, const pb::Pardon* request,
                                   pb::PardonReply* reply) override {
    pb::Envelope ask;
    *ask.mutable_pardon() = *request;
    return start(std::move(ask), [reply](const pb::Envelope& e) { *reply = e.pardon_reply(); });
  }
  grpc::ServerWriteReactor<pb::JobUpdate>* Watch(grpc::CallbackServerContext*,
                                                 const pb::Watch* request) override {
    auto watching = std::make_shared<Watching>(lines_);
    watching->begin(watching, *request);
    return watching.get();
  }

 private:
  using Fill = std::function<void(const pb::Envelope&)>;

  class Unary final : public grpc::ServerUnaryReactor, public Call {
   public:
    Unary(Lines& lines, Fill fill) : lines_(lines), fill_(std::move(fill)) {}
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
    Fill fill_;
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

  static void post(Lines& lines, const std::string& name, pb::Envelope ask) {
    *ask.mutable_from() = roles::address(pb::ROLE_CLIENT, name);
    *ask.mutable_to() = roles::address(pb::ROLE_SERVER);
    lines.inbox.receive(std::move(ask));
  }
  grpc::ServerUnaryReactor* start(pb::Envelope ask, Fill fill) {
    auto unary = std::make_shared<Unary>(lines_, std::move(fill));
    unary->begin(unary, std::move(ask));
    return unary.get();
  }

  Lines& lines_;
};

struct MeshServer::Running {
  explicit Running(host::Inbox& inbox) : lines(inbox), mesh(lines), pool(lines) {}
  Lines lines;
  Mesh mesh;
  Pool pool;
  std::unique_ptr<grpc::Server> server;
};

MeshServer::MeshServer(host::Inbox& inbox) : running_(std::make_unique<Running>(inbox)) {}

MeshServer::~MeshServer() { stop(); }

Status MeshServer::listen(const std::string& host, int port) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  int bound = 0;
  const std::string address = host + ":" + std::to_string(port);
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &bound);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.RegisterService(&running_->mesh);
  builder.RegisterService(&running_->pool);
  running_->server = builder.BuildAndStart();
  if (running_->server && bound == port) return {};
  return fail(Code::kUnavailable, "cannot listen on " + address +
                                      ": the port is in use or the address is not this machine's; "
                                      "choose another with --port");
}

void MeshServer::stop() {
  if (!running_->server) return;
  running_->server->GetHealthCheckService()->SetServingStatus(false);
  running_->lines.cancel_all();
  running_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(500));
  running_->server.reset();
}

void MeshServer::send(pb::Envelope envelope) { running_->lines.deliver(std::move(envelope)); }

}  // namespace muster::io
