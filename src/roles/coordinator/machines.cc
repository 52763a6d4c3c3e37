#include "roles/coordinator/machines.h"

#include <algorithm>

#include "base/check.h"
#include "base/probe.h"
#include "base/rng.h"
#include "wire/envelope.h"
#include "wire/owner.h"

namespace muster::roles::coordinator {
namespace {

constexpr Duration kRetryAfter = seconds(2);  // Doubled by each further failure in a row.
constexpr Duration kLongestRetry = seconds(30);
constexpr Duration kAskAgainAfter = seconds(10);  // Whoever could not have the model ready.
constexpr Duration kFruitlessWait = seconds(30);
constexpr int kMostFruitless = 3;  // Leases in a row that came to nothing.
constexpr size_t kMostBarren = 3;  // Machines in a row; then it is not the machines.
constexpr Duration kLongestPreparing = seconds(1800), kLongestStep = seconds(120);
// Away for so long, a machine is asked to have the model ready as for the first time.
constexpr Duration kAnew = seconds(10);
constexpr Duration kLoadsLong = seconds(60);
constexpr Duration kLongestItem = seconds(600);  // For a machine that was not measured yet.
constexpr Duration kLeastTime = seconds(60);     // For a lease, however short it should take.
constexpr double kSlower = 4;
constexpr double kPatienceFactor = 5;  // Times what it should take.

bool is_named(const pb::Lend& lend, const std::string& machine) {
  return std::any_of(lend.loans().begin(), lend.loans().end(),
                     [&](const pb::Loan& loan) { return loan.machine() == machine; });
}

}  // namespace

bool Machines::hear(const pb::Lend& lend) {
  if (lend.revision() < revision_) return false;
  ++changes_;
  revision_ = lend.revision();
  heard_ = true;
  elsewhere_ = lend.elsewhere();
  retiring_ = {lend.retiring().begin(), lend.retiring().end()};
  return true;
}

void Machines::expect_others(Instant until) { others_until_ = until; }

void Machines::on_line(Instant now, bool up) {
  line_up_ = up;
  if (!up) return;
  expect_others(now + kServerGrace);
  revision_ = 0;
}

std::vector<std::string> Machines::arrive(Instant now, const pb::Lend& lend, Effects& effects) {
  std::vector<std::string> arrived;
  for (const pb::Loan& loan : lend.loans()) {
    const std::string& name = loan.machine();
    if (!lent_.try_emplace(name).second) continue;
    known_.try_emplace(name, Known{.owner = owner_of(name, loan.owner())});
    arrived.push_back(name);
    if (backoffs_.waits(now, name)) hold_back(name, effects);  // Back before its time.
  }
  return arrived;
}

std::vector<std::string> Machines::leaving(const pb::Lend& lend) const {
  std::vector<std::string> names;
  for (const auto& [name, machine] : lent_) {
    if (!is_named(lend, name)) names.push_back(name);
  }
  return names;
}

void Machines::leave(const std::string& name) {
  ++changes_;
  lent_.erase(name);
}

void Machines::on_preparing(Instant now, const std::string& name, const std::string& what) {
  const auto found = lent_.find(name);
  if (found == lent_.end() || what.empty()) return;
  if (std::exchange(found->second.preparing, what) == what) return;
  if (auto& patience = known_.at(name).patience) patience->step_since = now;
}

void Machines::on_ready(const std::string& name, const std::string& numeric_class) {
  const auto found = lent_.find(name);
  if (found == lent_.end()) return;
  ++changes_;
  found->second.ready = true;
  found->second.unable.clear();
  known_.at(name).patience.reset();
  known_.at(name).numeric_class = numeric_class;
  // Who gave nothing back for its leases is believed when it has answered one.
  const auto before = backoffs_.all().find(name);
  if (before != backoffs_.all().end() && before->second.why.code != Code::kFailed) {
    backoffs_.remove(name);
  }
}

// Whether it has had all the time that there is; then it begins anew.
bool Machines::watch(Instant now, Known& known) {
  if (!known.patience || now - known.patience->watched >= kAnew) {
    known.patience = {.since = now, .step_since = now, .watched = now};
  }
  known.patience->watched = now;
  const bool has_time = now < known.patience->since + kLongestPreparing &&
                        now < known.patience->step_since + kLongestStep;
  if (!has_time) known.patience.reset();
  return !has_time;
}

std::vector<std::string> Machines::overdue(Instant now) {
  std::vector<std::string> names;
  for (const auto& [name, machine] : lent_) {
    if (machine.ready || machine.prepare_due > now) continue;
    if (watch(now, known_.at(name))) names.push_back(name);
  }
  return names;
}

void Machines::send_due(Instant now, const pb::JobKey& key, Effects& effects) {
  for (auto& [name, machine] : lent_) {
    if (machine.ready) continue;
    if (machine.prepare_due <= now) {
      pb::Envelope ask = envelope_to(address(pb::ROLE_WORKER, name));
      *ask.mutable_prepare()->mutable_key() = key;
      effects.send.push_back({std::move(ask)});
      machine.prepare_due = now + kRepeatEvery;
    }
    effects.wake_by(machine.prepare_due);
  }
}

void Machines::give_back(Instant now, const std::string& name, const Error& why, Effects& effects) {
  MUSTER_PROBE("a machine that cannot serve is given back");
  backoffs_.add(now, name, why, why.code == Code::kFailed ? kFruitlessWait : kAskAgainAfter);
  hold_back(name, effects);
}

// It is asked again when its time has come, though it be lent before.
void Machines::hold_back(const std::string& name, Effects& effects) {
  const auto machine = lent_.find(name);
  if (machine == lent_.end()) return;
  ++changes_;
  const Backoffs::Entry& entry = backoffs_.all().at(name);
  machine->second.unable = entry.why.message;
  machine->second.ready = false;
  machine->second.prepare_due = entry.until;
  effects.wake_by(entry.until);
}

void Machines::on_served(const std::string& name) {
  barren_.clear();
  if (const auto known = known_.find(name); known != known_.end()) known->second.fruitless = 0;
  if (!backoffs_.has(name)) return;
  backoffs_.remove(name);
  const auto machine = lent_.find(name);
  if (machine == lent_.end()) return;
  machine->second.unable.clear();
  machine->second.prepare_due = {};
}

bool Machines::note_fruitless(const std::string& name) {
  return ++known_.at(name).fruitless >= kMostFruitless || backoffs_.has(name);
}

bool Machines::note_barren(const std::string& name) {
  barren_.insert(name);
  if (barren_.size() < kMostBarren) return false;
  barren_.clear();
  return true;
}

void Machines::note_hopeless(const std::string& name) {
  known_.at(name).fruitless = kMostFruitless;
}

void Machines::ask_again(const std::string& name) {
  ++changes_;
  lent_.at(name).ready = false;
}

void Machines::back_off(Instant now, const std::string& name) {
  ++changes_;
  Lent& machine = lent_.at(name);
  const int doublings = std::min(machine.failures++, 4);
  const Duration pause = std::min(kLongestRetry, kRetryAfter * (1 << doublings));
  Rng jitter = Rng(epoch_).fork(name + std::to_string(machine.failures));
  machine.not_before = now + pause + pause / 4 * static_cast<int64_t>(jitter.below(100)) / 100;
  machine.bytes_per_second = 0;  // One item next.
}

void Machines::forget_failures(const std::string& name) { lent_.at(name).failures = 0; }

void Machines::note_speed(const std::string& name, size_t bytes, Duration elapsed) {
  const auto machine = lent_.find(name);
  if (machine == lent_.end() || elapsed <= Duration()) return;
  const double speed = static_cast<double>(bytes) / to_seconds(elapsed);
  slowest_ = slowest_ == 0 ? speed : std::min(slowest_, speed);
  machine->second.bytes_per_second = speed;
  machine->second.failures = 0;
}

Instant Machines::latest_end(Instant from, const std::string& name, size_t bytes) const {
  const Lent* machine = find(name);
  const double measured = machine == nullptr ? 0 : machine->bytes_per_second;
  const double speed = measured > 0 ? measured : slowest_ / kSlower;
  if (speed <= 0) return from + kLongestItem;
  const Duration five_times = from_seconds(kPatienceFactor * static_cast<double>(bytes) / speed);
  return from + std::clamp(five_times, kLeastTime, kLongestItem);
}

const Machines::Lent* Machines::find(const std::string& name) const {
  const auto found = lent_.find(name);
  return found == lent_.end() ? nullptr : &found->second;
}

const std::string* Machines::owner(const std::string& name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : &found->second.owner;
}

const std::string* Machines::class_of(const std::string& name) const {
  const auto found = known_.find(name);
  const bool was_ready = found != known_.end() && !found->second.numeric_class.empty();
  return was_ready ? &found->second.numeric_class : nullptr;
}

bool Machines::any_was_ready() const {
  return std::any_of(known_.begin(), known_.end(),
                     [](const auto& entry) { return !entry.second.numeric_class.empty(); });
}

bool Machines::may_work(const std::string& name) const {
  const Lent* machine = find(name);
  return machine != nullptr && machine->ready && machine->unable.empty() && !is_retiring(name);
}

bool Machines::may_serve(const std::string& name) const {
  const Lent* machine = find(name);
  return machine != nullptr && machine->unable.empty() && !backoffs_.has(name);
}

bool Machines::has_claim(const std::string& name) const {
  return may_serve(name) && known_.at(name).fruitless == 0;
}

size_t Machines::loading_long(Instant now) const {
  return static_cast<size_t>(std::count_if(lent_.begin(), lent_.end(), [&](const auto& entry) {
    const auto& patience = known_.at(entry.first).patience;
    return patience && now - patience->since >= kLoadsLong;
  }));
}

void Machines::check() const {
  for (const auto& [name, machine] : lent_) {
    MUSTER_CHECK(known_.contains(name));
    MUSTER_CHECK(!machine.ready || (machine.unable.empty() && class_of(name) != nullptr));
  }
}

}  // namespace muster::roles::coordinator
