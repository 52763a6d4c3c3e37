#pragma once

#include <string>
#include <utility>

#include "base/digest.h"
#include "wire/keys.h"

namespace muster::wire {

// For tests: signs with its name; enough to tell who signed what.
class NamedKeys final : public Keys {
 public:
  explicit NamedKeys(std::string name) : name_(std::move(name)) {}
  [[nodiscard]] std::string public_key() const override { return name_; }
  [[nodiscard]] std::string sign(std::string_view bytes) const override {
    return seal(name_, bytes);
  }
  [[nodiscard]] bool verify(std::string_view public_key, std::string_view bytes,
                            std::string_view signature) const override {
    return seal(public_key, bytes) == signature;
  }

 private:
  static std::string seal(std::string_view name, std::string_view bytes) {
    return std::string(sha256(std::string(name) + ":" + std::string(bytes)).view());
  }
  std::string name_;
};

}  // namespace muster::wire
