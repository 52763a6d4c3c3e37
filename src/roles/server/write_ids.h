#pragma once

#include "roles/role.h"

namespace muster::roles::server {

// Numbers what the server has written. The parts draw from one, so that an outcome names one write;
// it outlives them.
class WriteIds {
 public:
  WriteIds() = default;
  WriteIds(const WriteIds&) = delete;
  WriteIds& operator=(const WriteIds&) = delete;

  [[nodiscard]] WriteId next() { return next_++; }

 private:
  WriteId next_ = 1;
};

}  // namespace muster::roles::server
