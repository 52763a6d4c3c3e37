#include "roles/storage/storage.h"

#include <algorithm>

#include "roles/message.h"
#include "roles/record.h"

namespace muster::roles::storage {
namespace {

constexpr size_t kMaxReaders = 4096;
constexpr Duration kProbeEvery = seconds(10);
constexpr uint64_t kProbeBytes = 64u << 20;

}  // namespace

Storage::Storage(std::string machine, std::string store_id, const Keys& keys)
    : machine_(std::move(machine)), store_id_(std::move(store_id)), keys_(keys) {}

Effects Storage::step(Instant now, const Event& event) {
  Effects effects;
  if (const auto* received = std::get_if<Received>(&event)) {
    on_message(now, received->envelope, effects);
  } else if (const auto* stored = std::get_if<Stored>(&event)) {
    on_stored(now, *stored, effects);
  } else if (const auto* read = std::get_if<RecordsRead>(&event)) {
    on_read(*read, effects);
  }
  move_copies(now, effects);
  try_again(now, effects);
  return effects;
}

void Storage::on_message(Instant, const pb::Envelope& envelope, Effects& effects) {
  switch (envelope.body_case()) {
    case pb::Envelope::kPoolState:
      return on_pool_state(envelope.pool_state(), effects);
    case pb::Envelope::kPut:
      return on_put(envelope.from(), envelope.put(), effects);
    case pb::Envelope::kSubscribe:
      return on_subscribe(envelope.from(), envelope.subscribe(), effects);
    case pb::Envelope::kFeed:
      return on_copied_batch(envelope.from().machine(), envelope.feed(), effects);
    default:
      return;
  }
}

Storage::Place Storage::place_in(const pb::View& view) const {
  auto is_me = [this](const pb::Member& member) {
    return member.machine() == machine_ && member.store_id() == store_id_;
  };
  if (std::any_of(view.members().begin(), view.members().end(), is_me)) return Place::kMember;
  if (std::any_of(view.joiners().begin(), view.joiners().end(), is_me)) return Place::kJoining;
  return Place::kOutside;
}

void Storage::on_pool_state(const pb::PoolState& state, Effects& effects) {
  live_.assign(state.live().begin(), state.live().end());
  std::erase_if(readers_, [this](const Reader& reader) {
    return !is_live(reader.request.job(), reader.request.run());
  });
  if (state.view().number() <= view_.number()) return;
  view_ = state.view();
  const Place before = std::exchange(place_, place_in(view_));
  if (place_ == Place::kJoining) {
    start_copies();
    effects.note(view_.members().empty()
                     ? "this machine is now a storage node, the first one"
                     : "this machine is now a storage node; copying what the other one holds");
  }
  if (place_ == Place::kMember && before != Place::kMember) {
    copies_.clear();
    effects.note("storage: member of the view (" + std::to_string(view_.members().size()) +
                 (view_.members().size() == 1 ? " copy)" : " copies)"));
  }
  if (place_ == Place::kOutside && before != Place::kOutside) {
    effects.warn("storage: no longer in the view");
  }
}

bool Storage::is_live(const std::string& job, uint32_t run) const {
  return std::any_of(live_.begin(), live_.end(), [&](const pb::LiveJob& live) {
    return live.job() == job && live.run() == run;
  });
}

// Those whose signature holds and whose job is live; others are dropped without an answer.
std::vector<StoredRecord> Storage::good_records(
    const google::protobuf::RepeatedPtrField<pb::SignedRecord>& records) const {
  std::vector<StoredRecord> good;
  for (const auto& record : records) {
    const auto opened = open_record(record, keys_);
    if (!opened || !is_live(opened->record.job(), opened->record.run())) continue;
    good.push_back({opened->digest, opened->record.job(), opened->record.run(), opened->machine,
                    record.SerializeAsString()});
  }
  return good;
}

WriteId Storage::write(std::vector<StoredRecord> records, bool copied, Effects& effects) {
  const WriteId id = next_write_++;
  PendingWrite& pending = writes_[id];
  pending.copied = copied;
  copied_writes_ += copied ? 1 : 0;
  for (const StoredRecord& record : records) {
    pending.jobs.insert(record.job);
    ++pending.records[record.author];
  }
  effects.persist.push_back({id, PutRecords{std::move(records)}});
  return id;
}

void Storage::on_put(const pb::Address& from, const pb::Put& put, Effects& effects) {
  if (place_ == Place::kOutside || put.view() != view_.number()) {
    pb::Envelope answer = envelope_to(from);
    *answer.mutable_wrong_view()->mutable_view() = view_;
    effects.send.push_back({std::move(answer)});
    return;
  }
  auto records = good_records(put.records());
  if (records.empty() || !problem_.empty()) return;
  pb::Envelope answer = envelope_to(from);
  answer.mutable_put_done()->set_view(view_.number());
  for (const StoredRecord& record : records) {
    answer.mutable_put_done()->add_digests(std::string(record.digest.view()));
  }
  const WriteId id = write(std::move(records), false, effects);
  effects.send.push_back({std::move(answer), id});
}

void Storage::on_stored(Instant now, const Stored& stored, Effects& effects) {
  if (stored.id == probe_) {
    probe_ = 0;
    if (stored.outcome != Outcome::kDone) return;
    effects.note("storage: it can be written again");
    problem_.clear();
    return say_state(effects);
  }
  auto found = writes_.find(stored.id);
  if (found == writes_.end()) return;
  const PendingWrite write = std::move(found->second);
  copied_writes_ -= write.copied ? 1 : 0;
  writes_.erase(found);
  if (stored.outcome == Outcome::kDone) {
    for (const auto& [author, count] : write.records) {
      effects.note("storage: " + std::to_string(count) + " records of " + short_id(author) +
                   (write.copied ? " copied" : " stored"));
    }
    wake_readers(write.jobs, effects);
  } else {
    on_write_failed(now, stored.why, effects);
  }
}

void Storage::on_write_failed(Instant now, const std::string& why, Effects& effects) {
  for (Copy& copy : copies_) copy = {copy.member, copy.job, 0, false, {}};
  if (!problem_.empty()) return;
  problem_ = why;
  say_problem_at_ = now;
  probe_at_ = now + kProbeEvery;
  effects.warn("storage: cannot write, so this machine leaves the view: " + why);
}

void Storage::say_state(Effects& effects) const {
  pb::Envelope say = envelope_to_server();
  say.mutable_store_state()->set_problem(problem_);
  effects.send.push_back({std::move(say)});
}

// While the store cannot be written: tells the server, and tries whether there is room again.
void Storage::try_again(Instant now, Effects& effects) {
  if (problem_.empty()) return;
  if (say_problem_at_ <= now) {
    say_state(effects);
    say_problem_at_ = now + kRepeatEvery;
  }
  if (probe_at_ <= now && probe_ == 0) {
    probe_ = next_write_++;
    probe_at_ = now + kProbeEvery;
    effects.persist.push_back({probe_, ProbeSpace{kProbeBytes}});
  }
  effects.wake_by(say_problem_at_);
}

void Storage::on_subscribe(const pb::Address& from, const pb::Subscribe& request,
                           Effects& effects) {
  if (!is_live(request.job(), request.run())) return;
  if (request.copying() && request.view() > view_.number()) return;  // It asks again.
  std::erase_if(readers_, [&](const Reader& reader) {
    return reader.address.role() == from.role() && reader.address.machine() == from.machine() &&
           reader.request.job() == request.job() && reader.request.run() == request.run();
  });
  effects.run.push_back(ReadRecords{from, request});
}

void Storage::on_read(const RecordsRead& read, Effects& effects) {
  if (!read.feed) {
    effects.warn("storage: cannot read: " + read.feed.error().message);
    return;
  }
  const pb::Feed& feed = *read.feed;
  if (feed.records().empty() && !feed.copying()) {  // Nothing yet: answered by the next write.
    pb::Subscribe request;
    request.set_job(feed.job());
    request.set_run(feed.run());
    request.set_cursor(feed.from());
    if (readers_.size() < kMaxReaders) readers_.push_back({read.reader, request});
    return;
  }
  pb::Envelope answer = envelope_to(read.reader);
  *answer.mutable_feed() = feed;
  effects.send.push_back({std::move(answer)});
}

void Storage::wake_readers(const std::set<std::string>& jobs, Effects& effects) {
  std::erase_if(readers_, [&](const Reader& reader) {
    if (!jobs.contains(reader.request.job())) return false;
    effects.run.push_back(ReadRecords{reader.address, reader.request});
    return true;
  });
}

void Storage::start_copies() {
  copies_.clear();
  say_copied_at_ = {};
  for (const auto& member : view_.members()) {
    for (const auto& job : live_) copies_.push_back({member.machine(), job, 0, false, {}});
  }
}

void Storage::on_copied_batch(const std::string& member, const pb::Feed& feed, Effects& effects) {
  for (Copy& copy : copies_) {
    const bool mine = copy.member == member && copy.job.job() == feed.job() &&
                      copy.job.run() == feed.run() && copy.cursor == feed.from() && !copy.at_end;
    if (!mine || !feed.copying()) continue;
    auto records = good_records(feed.records());
    if (!records.empty()) write(std::move(records), true, effects);
    copy.cursor = feed.next();
    copy.at_end = feed.at_end();
    copy.due = {};
  }
}

// Asks for the next batch of every copy, and says Copied once all are whole and on disk.
void Storage::move_copies(Instant now, Effects& effects) {
  if (place_ != Place::kJoining || !problem_.empty()) return;
  bool whole = copied_writes_ == 0;
  for (Copy& copy : copies_) {
    if (!is_live(copy.job.job(), copy.job.run())) copy.at_end = true;
    if (copy.at_end) continue;
    whole = false;
    if (copy.due <= now) {
      pb::Envelope ask = envelope_to(address(pb::ROLE_STORAGE, copy.member));
      auto* request = ask.mutable_subscribe();
      request->set_job(copy.job.job());
      request->set_run(copy.job.run());
      request->set_cursor(copy.cursor);
      request->set_copying(true);
      request->set_view(view_.number());
      effects.send.push_back({std::move(ask)});
      copy.due = now + kRepeatEvery;
    }
    effects.wake_by(copy.due);
  }
  if (!whole) return;
  effects.wake_by(say_copied_at_ > now ? say_copied_at_ : now + kRepeatEvery);
  if (say_copied_at_ > now) return;
  say_copied_at_ = now + kRepeatEvery;
  pb::Envelope say = envelope_to_server();
  say.mutable_copied()->set_view(view_.number());
  effects.send.push_back({std::move(say)});
}

}  // namespace muster::roles::storage
