#pragma once

#include "wire/keys.h"

namespace muster::wire {

// For tests in which nobody lies: signs with a word, and believes every signature.
class NoKeys final : public Keys {
 public:
  [[nodiscard]] std::string public_key() const override { return "key"; }
  [[nodiscard]] std::string sign(std::string_view) const override { return "signature"; }
  [[nodiscard]] bool verify(std::string_view, std::string_view, std::string_view) const override {
    return true;
  }
};

}  // namespace muster::wire
