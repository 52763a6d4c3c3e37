// Anti-entropy: the stores of the view compare what they hold, run by run, and fetch what they
// lack. What was found damaged is dropped and comes back the same way.
#include <algorithm>
#include <iterator>

#include "base/probe.h"
#include "roles/storage/digest_ranges.h"
#include "roles/storage/storage.h"
#include "wire/envelope.h"

namespace muster::roles::storage {
namespace {

constexpr Duration kCompareEvery = seconds(10);  // One run with one member.
constexpr Duration kCompareAgain = seconds(1);   // After something was missing.
constexpr size_t kMostMissing = 1024;            // Digests in one message: 32 kB.

template <typename Message>
ReadDigests digests_for(const Message& what, const pb::Envelope& about) {
  return {run_key(what), about};
}

}  // namespace

// Every pair of a run and another member has its turn; every other turn is a live run's, however
// many are kept: coordinators wait for what a store lacks of those.
void Storage::compare(Instant now, Effects& effects) {
  if (place_ == Place::kOutside || !health_.can_be_written() || kept_.empty()) return;
  std::vector<std::string> others;
  for (const auto& member : view_.members()) {
    if (member.machine() != machine_) others.push_back(member.machine());
  }
  if (others.empty()) return;
  effects.wake_by(std::max(compare_at_, now + milliseconds(1)));
  if (compare_at_ > now) return;
  compare_at_ = now + kCompareEvery;
  const auto& runs = compare_turn_ % 2 == 0 && !live_.empty() ? live_ : kept_;
  const size_t turn = compare_turn_++ / 2 % (others.size() * runs.size());
  pb::Envelope ask = envelope_to(address(pb::ROLE_STORAGE, others[turn / runs.size()]));
  ask.mutable_compare_ranges()->set_job(runs[turn % runs.size()].job());
  ask.mutable_compare_ranges()->set_run(runs[turn % runs.size()].run());
  effects.run.push_back(digests_for(ask.compare_ranges(), ask));
}

// From another store, or, without ranges, from this one.
void Storage::on_compare(const pb::Envelope& envelope, Effects& effects) {
  const pb::CompareRanges& theirs = envelope.compare_ranges();
  if (place_ == Place::kOutside || !in_view(envelope.from().machine())) return;
  if (!is_kept(run_key(theirs)) || !readers_.begin_read(envelope.from())) return;
  effects.run.push_back(digests_for(theirs, envelope));
}

void Storage::on_missing(const pb::Envelope& envelope, Effects& effects) {
  const pb::MissingDigests& missing = envelope.missing_digests();
  if (place_ == Place::kOutside || !in_view(envelope.from().machine())) return;
  if (!is_kept(run_key(missing)) || !readers_.begin_read(envelope.from())) return;
  effects.run.push_back(digests_for(missing, envelope));
}

void Storage::on_digests(const DigestsRead& read, Effects& effects) {
  readers_.end_read(read.about.from());
  if (!read.digests) return effects.warn("storage: cannot read: " + read.digests.error().message);
  if (read.about.has_missing_digests()) return fetch_missing(read, effects);
  if (!read.about.has_from()) {  // Our own turn: the ranges are what the other gets.
    pb::Envelope ask = read.about;
    *ask.mutable_compare_ranges()->mutable_ranges() = to_ranges(*read.digests);
    return effects.send.push_back({std::move(ask)});
  }
  const auto others =
      in_other_ranges(*read.digests, read.about.compare_ranges().ranges(), kMostMissing);
  if (others.empty()) return;
  pb::Envelope answer = envelope_to(read.about.from());
  answer.mutable_missing_digests()->set_job(read.about.compare_ranges().job());
  answer.mutable_missing_digests()->set_run(read.about.compare_ranges().run());
  for (const Digest& digest : others) {
    answer.mutable_missing_digests()->add_digests(std::string(digest.view()));
  }
  effects.send.push_back({std::move(answer)});
}

void Storage::fetch_missing(const DigestsRead& read, Effects& effects) {
  const pb::MissingDigests& missing = read.about.missing_digests();
  std::set<std::string_view> mine;
  for (const Digest& digest : *read.digests) mine.insert(digest.view());
  pb::Envelope ask = envelope_to(read.about.from());
  auto* request = ask.mutable_subscribe();
  request->set_job(missing.job());
  request->set_run(missing.run());
  request->set_copying(true);
  for (const std::string& digest : missing.digests()) {
    if (Digest::from_bytes(digest) && !mine.contains(digest)) request->add_digests(digest);
  }
  if (request->digests().empty()) return;
  std::set<Digest>& picked = picked_[read.about.from().machine()];
  picked.clear();
  for (const std::string& digest : request->digests()) {
    if (const auto name = Digest::from_bytes(digest)) picked.insert(*name);
  }
  MUSTER_PROBE("a store lacks what another holds and asks for it");
  effects.send.push_back({std::move(ask)});
}

// Records that were asked for by digest; others are dropped.
void Storage::on_picked(Instant now, const std::string& source, const pb::Feed& feed,
                        Effects& effects) {
  auto asked = picked_.extract(source);
  if (place_ == Place::kOutside || !in_view(source) || asked.empty()) return;
  auto good = judge(feed.records(), nullptr, source).good;
  std::erase_if(
      good, [&](const StoredRecord& record) { return !asked.mapped().contains(record.digest); });
  if (good.empty()) return;
  MUSTER_PROBE("a store gets what it lacked");
  write(std::move(good), true, effects);
  compare_at_ = std::min(compare_at_, now + kCompareAgain);  // There may be more.
}

bool Storage::in_view(const std::string& machine) const {
  auto is_it = [&](const pb::Member& member) { return member.machine() == machine; };
  return std::any_of(view_.members().begin(), view_.members().end(), is_it) ||
         std::any_of(view_.joiners().begin(), view_.joiners().end(), is_it);
}

}  // namespace muster::roles::storage
