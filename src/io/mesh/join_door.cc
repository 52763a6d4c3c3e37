#include "io/mesh/join_door.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <ctime>
#include <optional>
#include <utility>

#include "base/check.h"
#include "identity/application.h"
#include "identity/channels/door_visit.h"
#include "wire/envelope.h"
#include "wire/failure.h"

namespace muster::io {
namespace {

using Clock = std::chrono::steady_clock;
using identity::tls::Need;

constexpr int kLookMs = 500;

std::string refusal(const Error& error) {
  pb::JoinAnswer answer;
  *answer.mutable_failure() = wire::to_failure(error);
  return answer.SerializeAsString();
}

}  // namespace

// Somebody at the door. The server's role answers on a thread of its own.
class JoinDoor::Visitor final : public Call {
 public:
  Visitor(int fd, SSL_CTX* context, int wake)
      : visit(Descriptor(fd), context), since(Clock::now()), wake_(wake) {}

  void answer(const pb::Envelope& envelope) override {
    std::lock_guard lock(mutex_);
    answer_ = envelope.join_reply();
    eventfd_write(wake_, 1);
  }
  void tick(Instant) override {}
  std::optional<pb::JoinReply> take_answer() {
    std::lock_guard lock(mutex_);
    return std::exchange(answer_, std::nullopt);
  }

  identity::DoorVisit visit;
  const Instant since;
  std::string call;  // Its name; empty: nothing was asked yet.
  identity::Application application;

 private:
  const int wake_;
  std::mutex mutex_;
  std::optional<pb::JoinReply> answer_;  // Guarded.
};

Result<std::unique_ptr<JoinDoor>> JoinDoor::open(const identity::Authority& authority,
                                                 const identity::Credentials& own, Lines& lines) {
  MUSTER_TRY(auto context, identity::tls::door_context(own, authority.certificate()));
  return std::unique_ptr<JoinDoor>(new JoinDoor(authority, std::move(context), lines));
}

JoinDoor::JoinDoor(const identity::Authority& authority, identity::tls::Context context,
                   Lines& lines)
    : authority_(authority),
      authority_pem_(authority.certificate()),
      lines_(lines),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      context_(std::move(context)) {
  MUSTER_CHECK(wake_ >= 0);
  thread_ = std::thread([this] { run(); });
}

JoinDoor::~JoinDoor() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  eventfd_write(wake_, 1);
  thread_.join();
  for (const auto& visitor : visitors_) lines_.remove_call(visitor->call);
  for (const int fd : arrived_) ::close(fd);
  ::close(wake_);
}

void JoinDoor::take(int fd) {
  std::lock_guard lock(mutex_);
  arrived_.push_back(fd);
  eventfd_write(wake_, 1);
}

Status JoinDoor::replace(const identity::Credentials& own) {
  MUSTER_TRY(auto context, identity::tls::door_context(own, authority_pem_));
  std::lock_guard lock(mutex_);
  context_ = std::move(context);
  return {};
}

void JoinDoor::run() {
  while (true) {
    {
      std::lock_guard lock(mutex_);
      if (stopped_) return;
    }
    let_in();
    go_on(Clock::now());
    wait();
  }
}

void JoinDoor::let_in() {
  std::lock_guard lock(mutex_);
  for (const int fd : std::exchange(arrived_, {})) {
    if (visitors_.size() < kMost) {
      visitors_.push_back(std::make_shared<Visitor>(fd, context_.get(), wake_));
      continue;
    }
    ::close(fd);
    if (const auto count = full_.count()) {
      lines_.on_news(std::to_string(count) +
                     " were sent away lately, who asked for certificates: " +
                     std::to_string(kMost) + " do already");
    }
  }
}

void JoinDoor::wait() {
  std::vector<pollfd> waits{{wake_, POLLIN, 0}};
  for (const auto& visitor : visitors_) {
    const Need need = visitor->visit.need();
    const short events = need == Need::kRead ? POLLIN : need == Need::kWrite ? POLLOUT : 0;
    waits.push_back({visitor->visit.socket(), events, 0});
  }
  poll(waits.data(), waits.size(), kLookMs);
  eventfd_t count = 0;
  eventfd_read(wake_, &count);
}

void JoinDoor::go_on(Instant now) {
  for (const auto& visitor : visitors_) {
    if (auto reply = visitor->take_answer()) {
      const auto& asks = visitor->application;
      if (reply->has_failure()) {
        visitor->visit.answer(refusal(wire::to_error(reply->failure())));
        continue;
      }
      const auto issued =
          authority_.issue(asks.public_key, reply->holder(),
                           static_cast<int64_t>(std::time(nullptr)), kCertificateSeconds);
      pb::JoinAnswer answer;
      if (issued) answer.set_certificate(*issued);
      visitor->visit.answer(issued ? answer.SerializeAsString() : refusal(issued.error()));
    } else if (const auto bytes = visitor->visit.go_on()) {
      hear(visitor, *bytes);
    }
  }
  std::erase_if(visitors_, [&](const auto& visitor) {
    if (visitor->visit.need() != Need::kEnd && now - visitor->since < kWait) return false;
    lines_.remove_call(visitor->call);
    return true;
  });
}

void JoinDoor::hear(const std::shared_ptr<Visitor>& visitor, const std::string& bytes) {
  pb::JoinRequest request;
  if (!request.ParseFromString(bytes)) {
    return visitor->visit.answer(refusal({Code::kInvalidArgument, "that is no request"}));
  }
  auto application = identity::examine(request, authority_pem_);
  if (!application) return visitor->visit.answer(refusal(application.error()));
  visitor->application = std::move(*application);
  visitor->call = lines_.add_call(visitor);
  pb::Envelope ask;
  *ask.mutable_join() = visitor->application.join;
  *ask.mutable_from() = wire::address(pb::ROLE_CLIENT, visitor->call);
  *ask.mutable_to() = wire::address(pb::ROLE_SERVER);
  if (lines_.ask_server(std::move(ask), [] {})) return;
  visitor->visit.answer(refusal({Code::kTryLater, "the server is busy; try again soon"}));
}

}  // namespace muster::io
