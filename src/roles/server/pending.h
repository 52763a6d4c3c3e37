#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "roles/role.h"
#include "roles/server/write_ids.h"

namespace muster::roles::server {

// What of a row goes to the database. A `Row` of Pending may carry more: who waits for it.
inline SavePool to_change(const pb::PoolRow& row) { return {row}; }
inline SaveView to_change(const pb::View& view) { return {view}; }

// Rows on their way to the database. One that may be there already, since the outcome of an attempt
// is unknown, is written again until it is there: the same row under the same key. Nothing is known
// of it before, so whoever keeps it says nothing, and writes nothing else under that key.
//
// Invariants: a row is on its way or put off, never both; write ids are each used once.
template <typename Row>
class Pending {
 public:
  explicit Pending(WriteIds& ids) : ids_(ids) {}

  void write(Row row, Effects& effects) { write(Attempt{std::move(row)}, effects); }
  // To be written when it is due.
  void put_off(Instant due, Row row) { put_off_.push_back({due, {std::move(row)}}); }

  struct Settled {
    Outcome outcome = Outcome::kDone;
    std::optional<Row> row;  // None: its outcome is unknown, and it is written again.
  };
  // What became of a row; none: the write was none of these.
  std::optional<Settled> settle(Instant now, const Stored& stored) {
    auto found = on_their_way_.extract(stored.id);
    if (found.empty()) return std::nullopt;
    Attempt attempt = std::move(found.mapped());
    attempt.may_be_there |= stored.outcome == Outcome::kUnknown;
    if (stored.outcome == Outcome::kDone || !attempt.may_be_there) {
      return Settled{stored.outcome, std::move(attempt.row)};
    }
    put_off_.push_back({now + kRepeatEvery, std::move(attempt)});
    return Settled{Outcome::kUnknown, std::nullopt};
  }

  // Writes what is due, in the order in which it was put off; wakes for the rest.
  void keep(Instant now, Effects& effects) {
    for (size_t i = 0; i < put_off_.size();) {
      if (put_off_[i].due > now) {
        effects.wake_by(put_off_[i++].due);
        continue;
      }
      Attempt attempt = std::move(put_off_[i].attempt);
      put_off_.erase(put_off_.begin() + static_cast<int64_t>(i));
      write(std::move(attempt), effects);
    }
  }

  [[nodiscard]] size_t size() const { return on_their_way_.size() + put_off_.size(); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  // Whether it holds one for which `is` is true. Costs what there is.
  template <typename Is>
  [[nodiscard]] bool holds(Is is) const {
    return std::any_of(on_their_way_.begin(), on_their_way_.end(),
                       [&](const auto& entry) { return is(entry.second.row); }) ||
           std::any_of(put_off_.begin(), put_off_.end(),
                       [&](const PutOff& waiting) { return is(waiting.attempt.row); });
  }

 private:
  struct Attempt {
    Row row;
    bool may_be_there = false;
  };
  struct PutOff {
    Instant due{};
    Attempt attempt;
  };
  void write(Attempt attempt, Effects& effects) {
    const WriteId id = ids_.next();
    effects.commits.push_back({id, {to_change(attempt.row)}});
    on_their_way_.emplace(id, std::move(attempt));
  }

  WriteIds& ids_;
  std::map<WriteId, Attempt> on_their_way_;
  std::vector<PutOff> put_off_;
};

}  // namespace muster::roles::server
