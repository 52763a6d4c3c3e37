#pragma once

#include <cstdint>

#include "roles/role.h"
#include "wire/envelope.h"

namespace muster::roles {

// Takes in what the server says of the pool. Each PoolState is answered, else it would be repeated;
// one that comes after a newer one of the same line is no news.
class PoolStateIntake {
 public:
  // Answers it; whether it is to be acted on.
  [[nodiscard]] bool take(const pb::PoolState& state, Effects& effects) {
    effects.send.push_back({pool_state_seen(state.revision())});
    if (state.revision() < revision_) return false;
    revision_ = state.revision();
    return true;
  }
  // Another server may count from another number.
  void on_line_up() { revision_ = 0; }
  // Of the last on this line; 0: none was heard.
  [[nodiscard]] uint64_t revision() const { return revision_; }

 private:
  uint64_t revision_ = 0;
};

}  // namespace muster::roles
