#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "roles/feed_reader.h"
#include "roles/grants.h"
#include "roles/pool_state_intake.h"
#include "roles/refusal_log.h"
#include "roles/role.h"
#include "roles/storage/disk_health.h"
#include "roles/storage/one_answers.h"
#include "roles/storage/readers.h"
#include "wire/keys.h"
#include "wire/record.h"
#include "wire/run_key.h"

namespace muster::roles::storage {

// What a store says of itself when it is opened.
struct StorageState {
  std::string store_id;
  std::string pool;  // Whose records it holds; empty: it never was of any.
  struct Seal {
    uint64_t epoch = 0;
    std::string record;  // A serialised pb::SignedRecord.
  };
  std::map<RunKey, Seal> seals;  // By run: of the highest epoch.
};

// Keeps records of live jobs on disk, serves them in the order they were written, and copies what
// the others hold when it joins the view.
//
// States, by the view the server last sent:
//   outside   not listed: refuses every Put with the view it knows.
//   joining   a joiner: takes Puts, and copies from every member; when the copy is whole and on
//             disk it says CaughtUp, again and again, until a later view lists it as a member.
//   member    takes Puts, serves feeds and copies; copies what a joiner brings along, which may
//             have been a member before.
// A store that cannot be written (DiskHealth) leaves the view; it lives on, and offers itself again
// when it can.
// A record whose bytes are not those of its name is dropped; all that is kept is looked through, a
// batch every few seconds. Stores of the view compare what they hold, by ranges of digests, and
// fetch what they lack.
// It takes what was asked for: answers with the terms of a coordinator that had the run under their
// epoch, and what such a coordinator signed; by Put only from the author itself, as a copy from
// stores of the view. It serves the coordinator that has the run now, and stores of the view.
//
// With another pool, one whose server never knew what is here, it begins from nothing.
//
// What the server lists neither as live nor as kept, a member drops; it takes and offers nothing of
// it either, so it does not come back. Invariant: an acknowledgement leaves only after the write is
// durable (Effects::send, `after`). Keeps nothing in memory that the store does not have: a restart
// is a new object.
//
// A run that is sealed at an epoch takes no settled records and no seals of coordinators of
// lower epochs any more; copies from other stores pass. Seals are records themselves: durable,
// copied.
class Storage final : public Role {
 public:
  // `state` is what the store says when it is opened; `keys` outlives the object.
  Storage(std::string machine, StorageState state, const Keys& keys);

  [[nodiscard]] Effects step(Instant now, const Event& event) override;
  [[nodiscard]] size_t pending() const override;

 private:
  enum class Place { kOutside, kJoining, kMember };
  // A copy of one (job, run) from one member, or, on a member, from a joiner.
  struct Copy {
    std::string source;
    pb::LiveJob job;
    FeedReader feed;  // Since the view in which the joiner came, this one or the source.
    int damaged = 0;  // Batches in a row with a record that nobody signed.
  };

  // storage.cc
  void on_message(Instant now, const pb::Envelope& envelope, Effects& effects);
  void on_pool_state(const pb::PoolState& state, Effects& effects);
  void take_in(Effects& effects);
  void enter_pool(Effects& effects);
  void on_put(const pb::Address& from, const pb::Put& put, Effects& effects);
  void refuse(const pb::Address& to, const StorageState::Seal* seal, const pb::Put& put,
              Effects& effects) const;
  void on_subscribe(const pb::Address& from, const pb::Subscribe& request, Effects& effects);
  void on_copied_batch(Instant now, const std::string& source, const pb::Feed& feed,
                       Effects& effects);
  void on_stored(Instant now, const Stored& stored, Effects& effects);
  void on_read(Instant now, const RecordsRead& read, Effects& effects);
  void drop_damaged(Instant now, const std::vector<Digest>& damaged, Effects& effects);
  void scrub(Instant now, Effects& effects);
  void drop_what_is_over(Effects& effects);
  void watch_disk(Instant now, Effects& effects);
  void start_copies();
  void copy_from(const std::string& source, uint64_t since);
  void on_write_failed(Instant now, const std::string& why, Effects& effects);
  void advance_copies(Instant now, Effects& effects);
  void watch_sources(Instant now, Effects& effects);
  WriteId write(std::vector<StoredRecord> records, bool copied, Effects& effects);

  // storage_comparing.cc
  void compare(Instant now, Effects& effects);
  void on_compare(const pb::Envelope& envelope, Effects& effects);
  void on_missing(const pb::Envelope& envelope, Effects& effects);
  void on_digests(const DigestsRead& read, Effects& effects);
  void fetch_missing(const DigestsRead& read, Effects& effects);
  void on_picked(Instant now, const std::string& source, const pb::Feed& feed, Effects& effects);
  [[nodiscard]] bool in_view(const std::string& machine) const;

  struct Judged {
    std::vector<StoredRecord> good;
    bool damaged = false;                        // Some signature did not fit.
    const StorageState::Seal* sealed = nullptr;  // Why some record was not taken.
  };
  using Records = google::protobuf::RepeatedPtrField<pb::SignedRecord>;
  // Put by `author`; null: they are copies, from `source`.
  [[nodiscard]] Judged judge(const Records& records, const pb::Address* author,
                             const std::string& source);
  [[nodiscard]] bool was_asked_for(const OpenedRecord& record, const pb::LiveJob& run,
                                   const std::string& source);
  [[nodiscard]] const StorageState::Seal* seal_over(const OpenedRecord& record) const;
  [[nodiscard]] bool may_read(const pb::Address& reader, const pb::Subscribe& request) const;
  [[nodiscard]] const pb::LiveJob* live(const RunKey& run) const;
  [[nodiscard]] const pb::LiveJob* kept(const RunKey& run) const;  // Live, or over but kept.
  [[nodiscard]] bool is_live(const RunKey& run) const { return live(run) != nullptr; }
  [[nodiscard]] bool is_kept(const RunKey& run) const { return kept(run) != nullptr; }
  [[nodiscard]] Place place_in(const pb::View& view) const;

  std::string machine_;
  StorageState state_;
  const Keys& keys_;
  Grants grants_;
  RefusalLog refusals_;
  OneAnswers one_answers_;
  DiskHealth health_;
  Readers readers_;
  PoolStateIntake intake_;
  pb::View view_;
  std::vector<pb::LiveJob> live_, kept_;  // kept_: with those that are live.
  // The runs that were kept when others were last dropped; none: nothing was dropped yet, or in
  // vain.
  std::optional<std::set<RunKey>> kept_on_disk_;
  WriteId dropping_ = 0;  // Under way.
  WriteId entering_ = 0;  // The same: EnterPool.
  std::string pool_;      // That the server speaks for.
  std::string entering_pool_;
  pb::PoolState told_;                              // The last one.
  std::map<std::string, std::set<Digest>> picked_;  // Asked for, by the store that has them.
  Place place_ = Place::kOutside;
  WriteId next_write_ = 1;
  struct PendingWrite {
    std::set<std::string> jobs;
    std::map<std::string, size_t> records;  // By author.
    size_t bytes = 0;
    bool copied = false;  // From a member, rather than Put by an author.
  };
  std::map<WriteId, PendingWrite> writes_;  // Under way; kMostWrites, what is more is repeated.
  size_t writing_bytes_ = 0;                // Of those.
  std::vector<Copy> copies_;
  // A joiner's sources: when each last let it copy something, or was first asked to.
  std::map<std::string, Instant> source_heard_;
  Instant complain_at_{};
  size_t copied_writes_ = 0;  // Of `writes_`, those with `copied`.
  Instant say_copied_at_{};
  pb::Subscribe scrub_;  // The batch that is looked at next.
  Instant scrub_at_{};
  Instant compare_at_{};
  size_t compare_turn_ = 0;
};

}  // namespace muster::roles::storage
