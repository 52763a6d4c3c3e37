#include "web/json/reason_json.h"

#include <algorithm>

namespace muster::web {

Json reason_json(const pb::Reason& reason) {
  return {{"number", reason.number()},
          {"job", reason.job()},
          {"run", reason.run()},
          {"machine", reason.machine().empty() ? Json(nullptr) : Json(reason.machine())},
          {"text", reason.text()},
          {"at_ms", reason.at_ms()},
          {"times", std::max(1u, reason.times())}};
}

}  // namespace muster::web
