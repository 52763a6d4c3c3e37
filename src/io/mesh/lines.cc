#include "io/mesh/lines.h"

#include "io/mesh/node_line.h"
#include "wire/short_id.h"

namespace muster::io {
namespace {

constexpr const char* kTwins =
    "two machines share an identity: delete machine.key in the --state_dir of one of them and "
    "start it again";

constexpr const char* kTooOften = "it has connected 60 times in a minute; it has to wait";

}  // namespace

void Lines::open(std::shared_ptr<NodeLine> line) {
  std::lock_guard lock(mutex_);
  const NodeLine* key = line.get();
  open_[key] = std::move(line);
}

bool Lines::admit(const std::string& machine, const std::string& instance, const NodeLine& line) {
  std::unique_lock lock(mutex_);
  const auto newer = open_.at(&line);
  auto found = admitted_.find(machine);
  const auto older = found == admitted_.end() ? nullptr : found->second;
  const auto now = std::chrono::steady_clock::now();
  if (!admissions_.may_come(machine, now)) {
    lock.unlock();
    newer->dismiss(kTooOften);
    return false;
  }
  const bool two = twins_.are_two(machine, instance, now);
  if (!two) admitted_[machine] = newer;
  lock.unlock();
  if (two) {
    part(machine, older.get(), *newer);
  } else if (older) {
    older->close();
  }
  return !two;
}

// Ends the new line and the one that has its place.
void Lines::part(const std::string& machine, NodeLine* older, NodeLine& newer) {
  if (older != nullptr) {
    on_news("machine " + wire::short_id(machine) + " is refused for a minute: " + kTwins);
    older->dismiss(kTwins);
  }
  newer.dismiss(kTwins);
}

std::shared_ptr<NodeLine> Lines::forget(const NodeLine& line, const std::string& machine) {
  std::unique_lock lock(mutex_);
  auto gone = std::move(open_.extract(&line).mapped());
  auto found = admitted_.find(machine);
  if (found == admitted_.end() || found->second.get() != &line) return gone;
  admitted_.erase(found);
  lock.unlock();
  intake.post(pb::ROLE_SERVER, roles::NodeLeft{machine});
  return gone;
}

std::shared_ptr<NodeLine> Lines::find(const std::string& machine) {
  std::lock_guard lock(mutex_);
  auto found = admitted_.find(machine);
  return found == admitted_.end() ? nullptr : found->second;
}

std::shared_ptr<Call> Lines::find_call(const std::string& name) {
  std::lock_guard lock(mutex_);
  auto found = calls_.find(name);
  return found == calls_.end() ? nullptr : found->second;
}

void Lines::relay(pb::Envelope envelope) {
  if (auto line = find(envelope.to().machine())) {
    const std::string sender = envelope.from().machine();
    line->send(std::move(envelope), sender);
  }
}

bool Lines::ask_server(pb::Envelope envelope, std::function<void()> taken) {
  if (intake.offer(std::move(envelope), std::move(taken))) return true;
  if (const auto count = behind_.count()) {
    on_news("this server is behind: " + std::to_string(count) + " messages to it were dropped");
  }
  return false;
}

void Lines::tell(pb::Envelope envelope) {
  const pb::Address& to = envelope.to();
  if (to.role() == pb::ROLE_CLIENT) {
    if (auto call = find_call(to.machine())) call->answer(envelope);
    return;
  }
  auto line = find(to.machine());
  if (!line) return;
  if (envelope.has_refused()) {
    return line->dismiss(envelope.refused().reason(), envelope.refused().final());
  }
  line->send(std::move(envelope), "");
}

void Lines::refused(const std::string& machine, const std::string& why) {
  on_refusal(machine, why);
  if (const auto count = refused_.count()) {
    on_news("something of machine " + wire::short_id(machine) + " was not passed on: " + why +
            " (" + std::to_string(count) + " lately, of all machines)");
  }
}

void Lines::left_out(const std::string& machine, const std::string& why) {
  if (const auto count = left_out_.count()) {
    on_news("something to machine " + wire::short_id(machine) + " was left out: " + why + " (" +
            std::to_string(count) + " lately, to all machines)");
  }
}

std::string Lines::add_call(std::shared_ptr<Call> call) {
  std::lock_guard lock(mutex_);
  const std::string name = "call-" + std::to_string(++next_call_);
  calls_[name] = std::move(call);
  return name;
}

void Lines::remove_call(const std::string& name) {
  std::lock_guard lock(mutex_);
  calls_.erase(name);
}

void Lines::tick(Instant now) {
  std::unique_lock lock(mutex_);
  const auto lines = open_;
  const auto calls = calls_;
  twins_.forget_old(now);
  admissions_.forget_old(now);
  lock.unlock();
  for (const auto& [key, line] : lines) line->tick(now);
  for (const auto& [name, call] : calls) call->tick(now);
}

void Lines::close_all() {
  std::unique_lock lock(mutex_);
  const auto lines = open_;
  lock.unlock();
  for (const auto& [key, line] : lines) line->close();
}

}  // namespace muster::io
