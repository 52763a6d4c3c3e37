#pragma once

#include <string>
#include <vector>

#include "roles/server/pending.h"

namespace muster::roles::server {

// Which machines may coordinate: those that the operator names, or else the first that ever came.
// Until there are tokens, nobody else may say what a job's result is.
//
// They are in the pool's row, which is written until it is there; the first that came counts from
// the moment it came.
class Coordinators {
 public:
  // `named`, if any, replace those that the row knows.
  Coordinators(Instant started, const std::vector<std::string>& named, pb::PoolRow row,
               WriteIds& ids);

  // Why the machine may not coordinate, in words for its operator; empty: it may. May be the first.
  [[nodiscard]] std::string refuse(const std::string& machine, Effects& effects);
  [[nodiscard]] const pb::PoolRow& row() const { return row_; }

  void keep(Instant now, Effects& effects) { pending_.keep(now, effects); }
  // Whether the write was of the pool's row.
  bool settle(Instant now, const Stored& stored);
  [[nodiscard]] size_t writing() const { return pending_.size(); }

 private:
  pb::PoolRow row_;
  Pending<pb::PoolRow> pending_;
};

}  // namespace muster::roles::server
