#pragma once

#include <set>
#include <string>
#include <vector>

#include "roles/server/pending.h"

namespace muster::roles::server {

// Which machines may coordinate, and say what a job's result is: whoever has a certificate for
// that. Where no certificates are demanded: those that the operator names, or else the first that
// ever came.
//
// They are in the pool's row, which is written until it is there; one counts from the moment it
// came. Of those with a certificate kMost are known, whose seals count: the one that came first and
// is not here now makes room for the next.
class Coordinators {
 public:
  static constexpr int kMost = 16;

  // `named`, if any, replace those that the row knows.
  Coordinators(Instant started, const std::vector<std::string>& named, pb::PoolRow row,
               WriteIds& ids);

  // Why the machine may not coordinate, in words for its operator; empty: it may. May be the first.
  [[nodiscard]] std::string refuse(const std::string& machine, Effects& effects);
  // The same of one that has a certificate. `here`: those on a line.
  [[nodiscard]] std::string admit(const std::string& machine, const std::set<std::string>& here,
                                  Effects& effects);
  // Its certificate is worth nothing any more.
  void forget(const std::string& machine, Effects& effects);
  [[nodiscard]] const pb::PoolRow& row() const { return row_; }

  void keep(Instant now, Effects& effects) { pending_.keep(now, effects); }
  // Whether the write was of the pool's row.
  bool settle(Instant now, const Stored& stored);
  [[nodiscard]] size_t writing() const { return pending_.size(); }

 private:
  void write(Effects& effects);

  pb::PoolRow row_;
  Pending<pb::PoolRow> pending_;  // One at a time.
  bool has_changed_ = false;      // Since that was written.
};

}  // namespace muster::roles::server
