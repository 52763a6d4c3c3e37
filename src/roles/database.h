#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "wire/pb.h"

namespace muster::roles {

using WriteId = uint64_t;  // Unique within its role's life.

// What the server may have written to its database: rows, each of which takes the place of the one
// before it.
struct SavePool {
  pb::PoolRow row;
};
struct SaveView {
  pb::View view;
};
struct SaveJob {
  pb::JobRow row;
};
struct SaveMachine {
  pb::MachineRow row;
};
struct SaveReason {
  pb::Reason reason;
};
using Change = std::variant<SavePool, SaveView, SaveJob, SaveMachine, SaveReason>;

// All of these, or none.
struct Commit {
  WriteId id = 0;
  std::vector<Change> changes;
};

}  // namespace muster::roles
