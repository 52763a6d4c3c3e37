#include "roles/coordinator/feeds.h"

#include <algorithm>
#include <cstring>

#include "base/probe.h"
#include "roles/batch_worth.h"

namespace muster::roles::coordinator {
namespace {

constexpr size_t kMostUnexplained = 4096;  // Records that are fed again, or of forgotten epochs.

uint64_t short_name(const Digest& digest) {
  uint64_t name = 0;
  std::memcpy(&name, digest.bytes.data(), sizeof name);
  return name;
}

}  // namespace

void Feeds::set_view(Instant now, const pb::View& view, int live_runs) {
  withheld_after_ = kWithheld + kComparedWithin * live_runs * std::max(1, view.members_size() - 1);
  std::map<std::string, Reader> readers;
  for (const auto& member : view.members()) {
    Reader& reader = readers_[member.machine()];
    const bool same = reader.store_id == member.store_id() && reader.feed.since() == member.since();
    if (!same) {
      for (auto& [record, incomplete] : incomplete_) {
        incomplete.acknowledged_by.erase(member.machine());
      }
      reader = {.store_id = member.store_id(),
                .feed = FeedReader(member.since()),
                .came = now,
                .heard = now};
    }
    readers[member.machine()] = std::move(reader);
    ever_.insert(member.machine());
  }
  for (const auto& joiner : view.joiners()) ever_.insert(joiner.machine());
  readers_ = std::move(readers);
}

void Feeds::begin(Instant now) {
  asking_ = true;
  excuse(now);
}

void Feeds::excuse(Instant now) {
  for (auto& [member, reader] : readers_) reader.heard = now;
  for (auto& [record, incomplete] : incomplete_) incomplete.since = now;
}

bool Feeds::take_batch(Instant now, const std::string& member, const pb::Feed& feed) {
  const auto found = readers_.find(member);
  if (found == readers_.end() || !found->second.feed.is_next(feed)) return false;
  Reader& reader = found->second;
  reader.records += static_cast<size_t>(feed.records_size());
  if (reader.records > kMostUnexplained + 2 * reader.fed.size() + feed.records_size()) {
    on_nonsense(member, "the same again and again");
  }
  if (!feed.at_end() && feed.next() <= feed.from()) {
    on_nonsense(member, "nothing, and says it has more");
  }
  reader.heard = feed.at_end() ? now : std::min(now, reader.heard + batch_worth(feed));
  reader.feed.advance(feed);
  return true;
}

void Feeds::on_genuine(Instant now, const std::string& member, const Digest& record) {
  const auto found = readers_.find(member);
  if (found == readers_.end()) return;
  found->second.fed.insert(short_name(record));
  if (known_.insert(record).second) return void(note_incomplete(now, record));
  const auto incomplete = incomplete_.find(record);
  if (incomplete != incomplete_.end() && all_have(record)) incomplete_.erase(incomplete);
}

void Feeds::on_leftover(const std::string& member, const Digest& record) {
  const auto found = readers_.find(member);
  if (found == readers_.end()) return;
  found->second.fed.insert(short_name(record));
  known_.insert(record);
}

void Feeds::on_nonsense(const std::string& member, const std::string& what) {
  blame(member, "feeds " + what);
}

void Feeds::blame(const std::string& member, const std::string& what) {
  const auto found = readers_.find(member);
  if (found == readers_.end() || !found->second.wrong.empty()) return;
  found->second.wrong = what;
  has_news_ = true;
}

void Feeds::blame_the_only(const std::string& what) {
  if (readers_.size() == 1) blame(readers_.begin()->first, what);
}

void Feeds::on_acknowledged(Instant now, const Digest& record) {
  Incomplete* incomplete = note_incomplete(now, record);
  if (incomplete == nullptr) return;
  for (const auto& [member, reader] : readers_) incomplete->acknowledged_by.insert(member);
}

Feeds::Incomplete* Feeds::note_incomplete(Instant now, const Digest& record) {
  if (all_have(record)) return nullptr;
  return &incomplete_.try_emplace(record, Incomplete{now, {}}).first->second;
}

bool Feeds::all_have(const Digest& record) const {
  const uint64_t name = short_name(record);
  return std::all_of(readers_.begin(), readers_.end(),
                     [name](const auto& entry) { return entry.second.fed.contains(name); });
}

void Feeds::send_due(Instant now, const pb::JobKey& key, uint64_t view, Effects& effects) {
  for (auto& [member, reader] : readers_) {
    pb::Subscribe* question = reader.feed.ask(now, member, run_key(key), effects);
    if (question == nullptr) continue;
    // One that has had nothing new for a while is asked whether it is there.
    question->set_copying(!reader.feed.caught_up() || now - reader.heard >= kPatience / 2);
    question->set_epoch(key.epoch());
    question->set_view(view);
  }
}

bool Feeds::all_caught_up() const {
  return std::all_of(readers_.begin(), readers_.end(),
                     [](const auto& entry) { return entry.second.feed.caught_up(); });
}

std::map<std::string, std::string> Feeds::neglectful(Instant now) {
  has_news_ = false;
  look_for_withheld(now);
  std::map<std::string, std::string> found;
  for (const auto& [member, reader] : readers_) {
    if (asking_ && now - reader.heard >= kPatience) found[member] = "has fed nothing for 8 s";
    if (!reader.wrong.empty()) found[member] = reader.wrong;
  }
  return found;
}

void Feeds::look_for_withheld(Instant now) {
  std::erase_if(incomplete_, [this](const auto& entry) {
    const Digest& record = entry.first;
    const std::set<std::string>& promised_by = entry.second.acknowledged_by;
    const uint64_t name = short_name(record);
    const bool somebody_should =
        std::any_of(readers_.begin(), readers_.end(), [&](const auto& other) {
          return other.second.fed.contains(name) || promised_by.contains(other.first);
        });
    // Lost with the stores that had it, or complete with those that are left.
    return all_have(record) || !somebody_should;
  });
  for (const auto& [record, incomplete] : incomplete_) {
    if (now - incomplete.since < withheld_after_) continue;
    for (const auto& [member, reader] : readers_) {
      const bool had_time = reader.feed.caught_up() && now - reader.came >= withheld_after_;
      if (!had_time || reader.fed.contains(short_name(record))) continue;
      MUSTER_PROBE("a store withholds what another feeds");
      if (incomplete.acknowledged_by.contains(member)) {
        return blame(member, "does not feed what it acknowledged");
      }
      return settle_dispute(member, record);
    }
  }
}

// While one is blamed for it, it is on its way out of the view, and nothing else is decided.
void Feeds::settle_dispute(const std::string& lacks, const Digest& record) {
  const uint64_t name = short_name(record);
  std::string has;
  for (const auto& [member, reader] : readers_) {
    if (!reader.wrong.empty()) return;
    if (reader.fed.contains(name) && (has.empty() || disputes_[member] > disputes_[has])) {
      has = member;
    }
  }
  if (has.empty()) return;
  const bool is_recurrent = disputes_[has] > disputes_[lacks];
  ++disputes_[has];
  ++disputes_[lacks];
  if (is_recurrent) return blame(has, "feeds what no other store gets from it");
  blame(lacks, "lacks what another store feeds");
}

}  // namespace muster::roles::coordinator
