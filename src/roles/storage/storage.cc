#include "roles/storage/storage.h"

#include <algorithm>

#include "base/overloaded.h"
#include "base/probe.h"
#include "roles/batch_worth.h"
#include "wire/envelope.h"
#include "wire/short_id.h"

namespace muster::roles::storage {
namespace {

constexpr Duration kScrubEvery = seconds(5);  // A batch of at most kMaxPutBytes.
constexpr size_t kMostWrites = 4096, kMostWritingBytes = 64u << 20;
constexpr Duration kSourcePatience = seconds(20);
constexpr int kMostDamaged = 5;  // Batches in a row, before a copy goes on without what is damaged.

const pb::LiveJob* find_run(const std::vector<pb::LiveJob>& jobs, const RunKey& run) {
  const auto found = std::find_if(jobs.begin(), jobs.end(),
                                  [&](const pb::LiveJob& job) { return is_of(run, job); });
  return found == jobs.end() ? nullptr : &*found;
}

}  // namespace

Storage::Storage(std::string machine, StorageState state, const Keys& keys)
    : machine_(std::move(machine)), state_(std::move(state)), keys_(keys), grants_(keys) {}

Effects Storage::step(Instant now, const Event& event) {
  Effects effects;
  std::visit(
      overloaded{
          [&](const Received& received) { on_message(now, received.envelope, effects); },
          [&](const Stored& stored) { on_stored(now, stored, effects); },
          [&](const RecordsRead& read) { on_read(now, read, effects); },
          [&](const DigestsRead& read) { on_digests(read, effects); },
          [&](const LineUp&) { intake_.on_line_up(); },
          [&](const Resumed&) {
            health_.note_answer();
            for (auto& [source, heard] : source_heard_) heard = now;
          },
          Ignores<Tick, NodeJoined, NodeLeft, Misspoken, LineDown, ModelPinned, RequestsFrozen,
                  ModelLoading, ModelLoaded, Scoring, ItemScored, JobsFound>{}},
      event);
  watch_disk(now, effects);
  advance_copies(now, effects);
  scrub(now, effects);
  compare(now, effects);
  health_.keep(now, next_write_, effects);
  refusals_.send_due(now, effects);
  return effects;
}

size_t Storage::pending() const {
  const auto copying = std::count_if(copies_.begin(), copies_.end(),
                                     [](const Copy& copy) { return !copy.feed.caught_up(); });
  return writes_.size() + readers_.waiting() + static_cast<size_t>(copying) + health_.pending() +
         (dropping_ != 0 ? 1 : 0) + (entering_ != 0 ? 1 : 0);
}

void Storage::on_message(Instant now, const pb::Envelope& envelope, Effects& effects) {
  switch (envelope.body_case()) {
    case pb::Envelope::kPoolState:
      return on_pool_state(envelope.pool_state(), effects);
    case pb::Envelope::kPut:
      return on_put(envelope.from(), envelope.put(), effects);
    case pb::Envelope::kSubscribe:
      return on_subscribe(envelope.from(), envelope.subscribe(), effects);
    case pb::Envelope::kFeed:
      if (envelope.feed().picked())
        return on_picked(now, envelope.from().machine(), envelope.feed(), effects);
      return on_copied_batch(now, envelope.from().machine(), envelope.feed(), effects);
    case pb::Envelope::kCompareRanges:
      return on_compare(envelope, effects);
    case pb::Envelope::kMissingDigests:
      return on_missing(envelope, effects);
    default:
      return;
  }
}

Storage::Place Storage::place_in(const pb::View& view) const {
  auto is_me = [this](const pb::Member& member) {
    return member.machine() == machine_ && member.store_id() == state_.store_id;
  };
  if (std::any_of(view.members().begin(), view.members().end(), is_me)) return Place::kMember;
  if (std::any_of(view.joiners().begin(), view.joiners().end(), is_me)) return Place::kJoining;
  return Place::kOutside;
}

void Storage::on_pool_state(const pb::PoolState& state, Effects& effects) {
  if (!intake_.take(state, effects)) return;
  told_ = state;
  take_in(effects);
}

void Storage::take_in(Effects& effects) {
  const pb::PoolState& state = told_;
  health_.set_excluded(state.excluded());
  live_.assign(state.live().begin(), state.live().end());
  kept_ = live_;
  kept_.insert(kept_.end(), state.kept().begin(), state.kept().end());
  readers_.keep_only([this](const RunKey& run) { return is_live(run); });
  std::erase_if(copies_, [this](const Copy& copy) { return !is_kept(run_key(copy.job)); });
  one_answers_.keep_only([this](const RunKey& run) { return is_kept(run); });
  const bool same_view = state.view().number() == view_.number() && state.pool() == pool_;
  if (state.view().number() < view_.number()) copies_.clear();  // The pool began anew from there.
  pool_ = state.pool();
  view_ = state.view();
  const Place place = place_in(view_);
  if (place != Place::kOutside && !pool_.empty() && pool_ != state_.pool) {
    place_ = Place::kOutside;
    return enter_pool(effects);
  }
  if (same_view && place == place_) return drop_what_is_over(effects);
  const Place before = std::exchange(place_, place);
  start_copies();
  if (place_ == Place::kJoining && before != Place::kJoining) {
    effects.note(view_.members().empty()
                     ? "this machine is now a storage node, the first one"
                     : "this machine is now a storage node; copying what the other one holds");
  }
  if (place_ == Place::kMember && before != Place::kMember) {
    effects.note("storage: member of the view (" + std::to_string(view_.members().size()) +
                 (view_.members().size() == 1 ? " copy)" : " copies)"));
  }
  if (place_ == Place::kOutside && before != Place::kOutside) {
    effects.warn("storage: no longer in the view");
  }
  drop_what_is_over(effects);
}

// It is a store of this pool, and none yet whose records are this pool's.
void Storage::enter_pool(Effects& effects) {
  if (entering_ != 0) return;
  if (!state_.pool.empty()) {
    MUSTER_PROBE("a store enters another pool");
    effects.warn("storage: this is another pool; what was kept for the one before is dropped");
  }
  entering_ = next_write_++;
  entering_pool_ = pool_;
  RecordChange enter = EnterPool{pool_};
  effects.writes.push_back({entering_, std::move(enter)});
}

// Only a member: whoever is not may hold what the members have lost.
void Storage::drop_what_is_over(Effects& effects) {
  if (place_ != Place::kMember) kept_on_disk_.reset();  // What comes as a copy now is not counted.
  if (place_ != Place::kMember || !health_.can_be_written() || dropping_ != 0) return;
  std::set<RunKey> kept;
  for (const pb::LiveJob& run : kept_) kept.insert(run_key(run));
  if (kept_on_disk_ == kept) return;
  MUSTER_PROBE("records of runs that are over are dropped");
  std::erase_if(state_.seals, [&](const auto& seal) { return !kept.contains(seal.first); });
  dropping_ = next_write_++;
  effects.writes.push_back({dropping_, KeepRuns{{kept.begin(), kept.end()}}});
  kept_on_disk_ = std::move(kept);
}

const pb::LiveJob* Storage::kept(const RunKey& run) const { return find_run(kept_, run); }

const pb::LiveJob* Storage::live(const RunKey& run) const { return find_run(live_, run); }

// An answer shows the terms by which it was asked for; everything else was signed by whoever had
// the run under its epoch. What the server has not told of yet is refused for now, and said again.
bool Storage::was_asked_for(const OpenedRecord& opened, const pb::LiveJob& run,
                            const std::string& source) {
  const auto& assignments = run.assignments();
  const bool asked_for = opened.record.has_answer()
                             ? grants_.was_asked_for(opened, assignments)
                             : !opened.record.has_grant() &&
                                   had_run(assignments, opened.record.epoch(), opened.machine);
  if (asked_for) return true;
  MUSTER_PROBE("a store refuses what nobody asked for");
  const uint64_t latest = assignments.empty() ? 0 : assignments.rbegin()->epoch();
  const uint64_t oldest = assignments.empty() ? 0 : assignments.begin()->epoch();
  const bool may_be_late = opened.record.epoch() > latest || opened.record.epoch() < oldest;
  if (!may_be_late) refusals_.note(source, "a record that nobody asked for");
  return false;
}

// A coordinator writes seals and settled items as long as no later one has sealed the run. Of one
// epoch only the first seal counts: who has the run under an epoch that was given before asks for
// another.
const StorageState::Seal* Storage::seal_over(const OpenedRecord& opened) const {
  const auto seal = state_.seals.find(run_key(opened.record));
  if (opened.record.has_answer() || seal == state_.seals.end()) return nullptr;
  const uint64_t epoch = seal->second.epoch;
  pb::SignedRecord sealed;
  const bool is_another = opened.record.has_seal() && opened.record.epoch() == epoch &&
                          sealed.ParseFromString(seal->second.record) &&
                          record_digest(sealed) != opened.digest;
  if (opened.record.epoch() >= epoch && !is_another) return nullptr;
  MUSTER_PROBE("a store refuses a record of a coordinator that was replaced");
  return &seal->second;
}

// Those whose signature holds, whose job is live, that were asked for and that come from whoever
// may bring them; others are dropped. A seal counts from here on.
Storage::Judged Storage::judge(const Records& records, const pb::Address* author,
                               const std::string& source) {
  Judged judged;
  for (const auto& record : records) {
    const auto opened = open_record(record, keys_);
    judged.damaged |= !opened;
    if (!opened) refusals_.note(source, "a record: " + opened.error().message);
    if (!opened) continue;
    const pb::LiveJob* run =
        author == nullptr ? kept(run_key(opened->record)) : live(run_key(opened->record));
    if (run == nullptr || (author != nullptr && opened->machine != author->machine())) continue;
    if (!was_asked_for(*opened, *run, source)) continue;
    if (opened->record.has_answer() && !one_answers_.admit(*opened, author == nullptr)) {
      refusals_.note(opened->machine, "another answer to a question that it has answered");
      continue;
    }
    if (const auto* seal = author == nullptr ? nullptr : seal_over(*opened)) {
      judged.sealed = seal;
      continue;
    }
    pb::SignedRecord plain;  // Whatever else it carried is not signed.
    plain.set_body(record.body());
    plain.set_public_key(record.public_key());
    plain.set_signature(record.signature());
    StoredRecord stored{opened->digest, run_key(opened->record), opened->machine,
                        plain.SerializeAsString()};
    if (opened->record.has_seal()) {
      stored.seals = opened->record.epoch();
      auto& seal = state_.seals[stored.run];
      if (seal.epoch < stored.seals) seal = {stored.seals, stored.bytes};
    }
    judged.good.push_back(std::move(stored));
  }
  return judged;
}

WriteId Storage::write(std::vector<StoredRecord> records, bool copied, Effects& effects) {
  const WriteId id = next_write_++;
  PendingWrite& pending = writes_[id];
  pending.copied = copied;
  copied_writes_ += copied ? 1 : 0;
  for (const StoredRecord& record : records) {
    pending.jobs.insert(record.run.job);
    ++pending.records[record.author];
    pending.bytes += record.bytes.size();
  }
  writing_bytes_ += pending.bytes;
  effects.writes.push_back({id, PutRecords{std::move(records)}});
  return id;
}

void Storage::refuse(const pb::Address& to, const StorageState::Seal* seal, const pb::Put& put,
                     Effects& effects) const {
  pb::Envelope answer = envelope_to(to);
  answer.mutable_put_refused()->set_view(view_.number());
  pb::Record sealed;
  if (seal != nullptr &&
      answer.mutable_put_refused()->mutable_seal()->ParseFromString(seal->record) &&
      sealed.ParseFromString(answer.put_refused().seal().body())) {
    answer.mutable_put_refused()->set_job(sealed.job());
    answer.mutable_put_refused()->set_run(sealed.run());
  }
  if (seal != nullptr || put.view() != view_.number()) effects.send.push_back({std::move(answer)});
}

void Storage::on_put(const pb::Address& from, const pb::Put& put, Effects& effects) {
  if (place_ == Place::kOutside || put.view() != view_.number()) {
    return refuse(from, nullptr, put, effects);
  }
  // Beyond what the disk can take in it is said again later.
  if (writes_.size() >= kMostWrites || writing_bytes_ >= kMostWritingBytes) return;
  Judged judged = judge(put.records(), &from, from.machine());
  if (judged.sealed != nullptr) refuse(from, judged.sealed, put, effects);
  auto& records = judged.good;
  if (records.empty() || !health_.can_be_written()) return;
  pb::Envelope answer = envelope_to(from);
  answer.mutable_put_done()->set_view(view_.number());
  for (const StoredRecord& record : records) {
    answer.mutable_put_done()->add_digests(std::string(record.digest.view()));
  }
  const WriteId id = write(std::move(records), false, effects);
  effects.send.push_back({std::move(answer), id});
}

void Storage::on_stored(Instant now, const Stored& stored, Effects& effects) {
  health_.note_answer();
  if (stored.id == entering_) {
    entering_ = 0;
    if (stored.outcome != Outcome::kDone) return on_write_failed(now, stored.why, effects);
    if (!state_.pool.empty()) state_.seals.clear();
    state_.pool = entering_pool_;
    kept_on_disk_.reset();
    return take_in(effects);
  }
  const DiskHealth::Probed probed = health_.settle(stored, effects);
  if (probed == DiskHealth::Probed::kInVain) return;
  if (probed == DiskHealth::Probed::kRecovered) {
    if (place_ == Place::kOutside) take_in(effects);  // It may be in the view of another pool.
    drop_what_is_over(effects);
    return health_.tell(effects);
  }
  if (stored.id == dropping_) {
    dropping_ = 0;
    if (stored.outcome != Outcome::kDone) {
      kept_on_disk_.reset();
      return on_write_failed(now, stored.why, effects);
    }
    return drop_what_is_over(effects);  // The list may have changed meanwhile.
  }
  auto found = writes_.find(stored.id);
  if (found == writes_.end()) return;
  const PendingWrite write = std::move(found->second);
  copied_writes_ -= write.copied ? 1 : 0;
  writing_bytes_ -= write.bytes;
  writes_.erase(found);
  if (stored.outcome == Outcome::kDone) {
    for (const auto& [author, count] : write.records) {
      effects.note("storage: " + std::to_string(count) + " records of " + short_id(author) +
                   (write.copied ? " copied" : " stored"));
    }
    readers_.wake(write.jobs, effects);
  } else {
    on_write_failed(now, stored.why, effects);
  }
}

// A disk that hangs says nothing; the others are told all the same.
void Storage::watch_disk(Instant now, Effects& effects) {
  const bool owes = !writes_.empty() || entering_ != 0 || dropping_ != 0;
  if (!health_.is_overdue(now, owes, effects)) return;
  on_write_failed(now, "the disk has not answered for 10 s", effects);
}

void Storage::on_write_failed(Instant now, const std::string& why, Effects& effects) {
  for (Copy& copy : copies_) {
    copy = {.source = copy.source, .job = copy.job, .feed = FeedReader(copy.feed.since())};
  }
  health_.note_failure(now, why, effects);
}

// The coordinator that has the run now, and stores of the view: nobody else needs to know what
// others answered, and whoever votes must not.
bool Storage::may_read(const pb::Address& reader, const pb::Subscribe& request) const {
  if (reader.role() == pb::ROLE_STORAGE) {
    return is_kept(run_key(request)) && in_view(reader.machine());
  }
  const pb::LiveJob* run = live(run_key(request));
  return run != nullptr && !run->assignments().empty() &&
         run->assignments().rbegin()->coordinator() == reader.machine();
}

void Storage::on_subscribe(const pb::Address& from, const pb::Subscribe& request,
                           Effects& effects) {
  const bool well_formed =
      request.cursor() <= INT64_MAX &&
      std::all_of(request.digests().begin(), request.digests().end(),
                  [](const std::string& digest) { return Digest::from_bytes(digest).has_value(); });
  const bool is_stranger = from.role() == pb::ROLE_STORAGE && !in_view(from.machine());
  if (!well_formed) refusals_.note(from.machine(), "it asks for records that have no name");
  if (is_stranger)
    refusals_.note(from.machine(), "it asks for records, and is no store of the view");
  if (!well_formed || !may_read(from, request)) return;
  const bool is_early =
      request.digests().empty() && request.copying() && request.view() > view_.number();
  if (is_early || !readers_.begin_read(from)) return;  // It asks again.
  if (!request.digests().empty()) return effects.run.push_back(ReadRecords{from, request});
  readers_.forget(from, request);
  effects.run.push_back(ReadRecords{from, request});
}

void Storage::on_read(Instant now, const RecordsRead& read, Effects& effects) {
  readers_.end_read(read.reader);
  if (!read.feed) {
    effects.warn("storage: cannot read: " + read.feed.error().message);
    return;
  }
  const pb::Feed& feed = *read.feed;
  if (!read.damaged.empty()) drop_damaged(now, read.damaged, effects);
  if (read.reader.machine() == machine_) {  // The scrub, which only wanted to look.
    scrub_.set_cursor(feed.at_end() ? 0 : feed.next());
    return;
  }
  const bool wanted = feed.copying() ? is_kept(run_key(feed)) : is_live(run_key(feed));
  if (!wanted) return;                              // Over, while it was read.
  if (feed.records().empty() && !feed.copying()) {  // Nothing yet: answered by the next write.
    pb::Subscribe request;
    request.set_job(feed.job());
    request.set_run(feed.run());
    request.set_cursor(feed.from());
    request.set_epoch(feed.epoch());
    request.set_view(feed.view());
    return readers_.wait(read.reader, request);
  }
  pb::Envelope answer = envelope_to(read.reader);
  *answer.mutable_feed() = feed;
  effects.send.push_back({std::move(answer)});
}

// What is damaged is dropped; comparing brings it back.
void Storage::drop_damaged(Instant now, const std::vector<Digest>& damaged, Effects& effects) {
  MUSTER_PROBE("a damaged record is dropped");
  effects.warn("storage: " + std::to_string(damaged.size()) +
               " damaged records dropped; fetching them from the others");
  effects.writes.push_back({next_write_++, DropRecords{damaged}});
  compare_at_ = now;
}

// Looks at a batch of what is stored every now and then, job after job, so that damage is found
// while another member still has the record.
void Storage::scrub(Instant now, Effects& effects) {
  if (place_ == Place::kOutside || kept_.empty()) return;
  effects.wake_by(std::max(scrub_at_, now + milliseconds(1)));
  if (scrub_at_ > now) return;
  scrub_at_ = now + kScrubEvery;
  if (scrub_.cursor() == 0) {  // The next job, from the beginning.
    auto next = std::min_element(kept_.begin(), kept_.end(), [this](const auto& a, const auto& b) {
      return std::pair(a.job() <= scrub_.job(), a.job()) <
             std::pair(b.job() <= scrub_.job(), b.job());
    });
    scrub_.set_job(next->job());
    scrub_.set_run(next->run());
    scrub_.set_copying(true);
  }
  effects.run.push_back(ReadRecords{address(pb::ROLE_STORAGE, machine_), scrub_});
}

void Storage::start_copies() {
  say_copied_at_ = {};
  source_heard_.clear();
  picked_.clear();
  std::map<std::string, uint64_t> sources;
  if (place_ == Place::kMember) {
    for (const auto& joiner : view_.joiners()) sources[joiner.machine()] = joiner.since();
  }
  if (place_ == Place::kJoining) {
    const auto me = std::find_if(view_.joiners().begin(), view_.joiners().end(),
                                 [this](const pb::Member& m) { return m.machine() == machine_; });
    for (const auto& member : view_.members()) sources[member.machine()] = me->since();
  }
  std::erase_if(copies_, [&](const Copy& copy) {
    auto source = sources.find(copy.source);
    return source == sources.end() || source->second != copy.feed.since();
  });
  for (const auto& [source, since] : sources) copy_from(source, since);
}

void Storage::copy_from(const std::string& source, uint64_t since) {
  const bool known = std::any_of(copies_.begin(), copies_.end(),
                                 [&](const Copy& copy) { return copy.source == source; });
  if (known) return;
  for (const auto& job : kept_) {
    copies_.push_back({.source = source, .job = job, .feed = FeedReader(since)});
  }
}

void Storage::on_copied_batch(Instant now, const std::string& source, const pb::Feed& feed,
                              Effects& effects) {
  for (Copy& copy : copies_) {
    const bool mine = copy.source == source && copy.job.job() == feed.job() &&
                      copy.job.run() == feed.run() && !copy.feed.caught_up();
    if (!mine || !feed.copying() || !copy.feed.is_next(feed)) continue;
    Instant& heard = source_heard_.try_emplace(source, now).first->second;
    heard = feed.at_end() ? now : std::min(now, heard + batch_worth(feed));
    Judged judged = judge(feed.records(), nullptr, source);
    if (!judged.good.empty()) write(std::move(judged.good), true, effects);
    // Asked for again: a copy with holes is no copy. But what its source never had right is not to
    // be had from it.
    if (judged.damaged && ++copy.damaged < kMostDamaged) {
      MUSTER_PROBE("a store is offered altered records as a copy");
      continue;
    }
    copy.damaged = 0;
    copy.feed.advance(feed);
  }
}

// Asks for the next batch of every copy, and says CaughtUp once all are whole and on disk.
void Storage::advance_copies(Instant now, Effects& effects) {
  if (place_ == Place::kOutside || !health_.can_be_written()) return;
  bool whole = copied_writes_ == 0;
  for (Copy& copy : copies_) {
    if (copy.feed.caught_up()) continue;
    whole = false;
    source_heard_.try_emplace(copy.source, now);
    if (auto* question = copy.feed.ask(now, copy.source, run_key(copy.job), effects)) {
      question->set_copying(true);
      question->set_view(view_.number());
    }
  }
  if (place_ != Place::kJoining) return;
  if (!whole) return watch_sources(now, effects);
  effects.wake_by(say_copied_at_ > now ? say_copied_at_ : now + kRepeatEvery);
  if (say_copied_at_ > now) return;
  say_copied_at_ = now + kRepeatEvery;
  pb::Envelope say = envelope_to_server();
  say.mutable_caught_up()->set_view(view_.number());
  effects.send.push_back({std::move(say)});
}

// Whoever does not let it copy is named: else it would be this machine that does not do its duty.
void Storage::watch_sources(Instant now, Effects& effects) {
  if (complain_at_ > now) return effects.wake_by(complain_at_);
  for (const auto& [source, heard] : source_heard_) {
    if (now - heard < kSourcePatience) {
      effects.wake_by(heard + kSourcePatience);
      continue;
    }
    MUSTER_PROBE("a member lets a joiner copy nothing");
    pb::Envelope say = envelope_to_server();
    say.mutable_silent_store()->set_machine(source);
    say.mutable_silent_store()->set_what("lets no other store copy what it has");
    effects.send.push_back({std::move(say)});
    complain_at_ = now + kRepeatEvery;
  }
}

}  // namespace muster::roles::storage
