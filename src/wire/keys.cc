#include "wire/keys.h"

#include "base/digest.h"

namespace muster::wire {

std::string machine_id(std::string_view public_key) {
  return to_hex(sha256(public_key).view().substr(0, 8));
}

}  // namespace muster::wire
