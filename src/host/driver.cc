#include "host/driver.h"

#include "base/overloaded.h"
#include "wire/authority.h"
#include "wire/bounds.h"
#include "wire/envelope.h"

namespace muster::host {

using roles::Event;

Driver::Driver(std::string machine, const Ports& ports)
    : machine_(std::move(machine)), ports_(ports) {}

void Driver::add_role(pb::Role name, std::unique_ptr<roles::Role> role) {
  roles_[name].role = std::move(role);
}

void Driver::deliver(Instant now, pb::Role role, Event event) {
  notice_pause(now);
  watch_line(now, event);
  queue_.push_back({role, std::move(event)});
  drain(now);
}

void Driver::receive(Instant now, pb::Envelope envelope) {
  notice_pause(now);
  heard_ = now;
  if (envelope.has_heartbeat() && envelope.to().role() == pb::ROLE_UNSPECIFIED) {
    return take_heartbeat(envelope.heartbeat());
  }
  if (!wire::may_say(envelope.from().role(), envelope.to().role(), envelope.body_case())) return;
  route_local(std::move(envelope));
  drain(now);
}

void Driver::tick(Instant now) {
  notice_pause(now);
  beat(now);
  for (auto& [name, hosted] : roles_) {
    if (!hosted.wake_at || *hosted.wake_at > now) continue;
    hosted.wake_at.reset();
    queue_.push_back({name, roles::Tick{}});
  }
  drain(now);
}

std::optional<Instant> Driver::wake_at() const {
  std::optional<Instant> earliest;
  if (line_up_) earliest = beat_due_;
  for (const auto& [name, hosted] : roles_) {
    if (hosted.wake_at && (!earliest || *hosted.wake_at < *earliest)) earliest = hosted.wake_at;
  }
  return earliest;
}

size_t Driver::pending() const {
  size_t count = 0;
  for (const auto& [name, hosted] : roles_) count += hosted.role->pending() + hosted.waiting.size();
  return count;
}

Measures Driver::measure() const {
  Measures measures = counted_;
  for (const auto& [name, hosted] : roles_) {
    measures.roles.insert(name);
    hosted.role->measure(measures.gauges);
  }
  return measures;
}

void Driver::drain(Instant now) {
  while (!queue_.empty()) {
    const Pending pending = std::move(queue_.front());
    queue_.pop_front();
    step(now, pending);
  }
}

void Driver::step(Instant now, const Pending& pending) {
  auto found = roles_.find(pending.role);
  if (found == roles_.end()) return;
  Hosted& hosted = found->second;
  if (const auto* stored = std::get_if<roles::Stored>(&pending.event)) release(hosted, *stored);
  step_role(now, pending, hosted);
  if (checks_) hosted.role->check();
}

// No message ends a process.
void Driver::step_role(Instant now, const Pending& pending, Hosted& hosted) {
  try {
    execute(pending.role, hosted, hosted.role->step(now, pending.event));
  } catch (const std::exception& error) {
    ports_.console->note(pending.role, {roles::Note::Level::kWarning,
                                        std::string("an event was dropped, which should be told "
                                                    "to muster's developers: ") +
                                            error.what()});
  }
}

// What waited for the write leaves when it is durable, and is dropped when it may not be.
void Driver::release(Hosted& hosted, const roles::Stored& stored) {
  auto waiting = hosted.waiting.extract(stored.id);
  if (waiting.empty() || stored.outcome != roles::Outcome::kDone) return;
  for (pb::Envelope& envelope : waiting.mapped()) send(std::move(envelope));
}

void Driver::execute(pb::Role name, Hosted& hosted, roles::Effects effects) {
  for (const auto& note : effects.notes) ports_.console->note(name, note);
  for (auto& count : effects.counts) ++counted_.counts[{count.what, std::move(count.of)}];
  for (const Duration took : effects.acknowledged) counted_.acknowledged.add(took);
  for (auto& out : effects.send) {
    auto* from = out.envelope.mutable_from();
    from->set_role(name);
    from->set_machine(machine_);
    wire::fit_texts(out.envelope);
    if (out.after != 0) {
      hosted.waiting[out.after].push_back(std::move(out.envelope));
    } else {
      send(std::move(out.envelope));
    }
  }
  for (auto& commit : effects.commits) ports_.database->commit(name, std::move(commit));
  for (auto& write : effects.writes) ports_.records->write(name, std::move(write));
  for (const auto& command : effects.run) execute(name, command);
  if (effects.wake_at && (!hosted.wake_at || *effects.wake_at < *hosted.wake_at)) {
    hosted.wake_at = effects.wake_at;
  }
}

void Driver::execute(pb::Role name, const roles::Command& command) {
  std::visit(overloaded{
                 [&](const roles::PinModel& pin) { ports_.hub->pin(name, pin); },
                 [&](const roles::FreezeRequests& freeze) { ports_.compute->freeze(name, freeze); },
                 [&](const roles::LoadModel& load) { ports_.engine->load(name, load); },
                 [&](const roles::ScoreItem& item) { ports_.engine->score(name, item); },
                 [&](const roles::StopScoring&) { ports_.engine->stop_scoring(); },
                 [&](const roles::ReadRecords& read) { ports_.records->read(name, read); },
                 [&](const roles::ReadDigests& read) { ports_.records->read_digests(name, read); },
                 [&](const roles::FindJobs& find) { ports_.database->find(name, find); },
             },
             command);
}

void Driver::send(pb::Envelope envelope) {
  const pb::Address& to = envelope.to();
  const bool here = to.machine() == machine_ && roles_.contains(to.role());
  here ? route_local(std::move(envelope)) : ports_.net->send(std::move(envelope));
}

void Driver::route_local(pb::Envelope envelope) {
  const pb::Role to = envelope.to().role();
  if (to != pb::ROLE_UNSPECIFIED) {
    queue_.push_back({to, roles::Received{std::move(envelope)}});
    return;
  }
  for (const auto& [name, hosted] : roles_) queue_.push_back({name, roles::Received{envelope}});
}

void Driver::watch_line(Instant now, const Event& event) {
  if (std::holds_alternative<roles::LineDown>(event)) end_line();
  if (!std::holds_alternative<roles::LineUp>(event)) return;
  line_up_ = true;
  heard_ = now;
  beat_due_ = now + roles::kHeartbeatEvery;
}

void Driver::end_line() {
  line_up_ = false;
  if (may_leave_) std::exchange(may_leave_, nullptr)();
}

// Late for its own wake-up: whatever the peers said meanwhile is still queued somewhere, so nobody
// has been silent yet.
void Driver::notice_pause(Instant now) {
  const auto due = wake_at();
  if (!due || now - *due < roles::kPauseNoticed) return;
  heard_ = now;
  beat_due_ = now;
  for (auto& [name, hosted] : roles_) {
    if (hosted.wake_at) hosted.wake_at = std::max(*hosted.wake_at, now);
    queue_.push_back({name, roles::Resumed{}});
  }
}

void Driver::beat(Instant now) {
  if (!line_up_) return;
  if (now - heard_ > roles::kSilence) {
    end_line();
    ports_.net->reopen_line();
    return;
  }
  if (beat_due_ > now) return;
  beat_due_ = now + roles::kHeartbeatEvery;
  pb::Envelope envelope = wire::envelope_to_server();
  envelope.mutable_heartbeat()->set_leaving(static_cast<bool>(may_leave_));
  ports_.net->send(std::move(envelope));
}

void Driver::leave(Instant now, std::function<void()> may_leave) {
  if (!line_up_) return may_leave();
  may_leave_ = std::move(may_leave);
  beat_due_ = now;
  beat(now);
}

void Driver::take_heartbeat(const pb::Heartbeat& heartbeat) {
  if (heartbeat.may_leave() && may_leave_) std::exchange(may_leave_, nullptr)();
}

}  // namespace muster::host
