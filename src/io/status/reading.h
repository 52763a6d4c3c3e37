#pragma once

#include <cstdint>
#include <optional>

#include "host/measures.h"

namespace muster::io {

// What a process has counted by some moment.
struct Reading {
  host::Measures roles;
  // Of a server's lines; none: it is no server.
  struct Refused {
    uint64_t connections = 0, messages = 0;
  };
  std::optional<Refused> refused;
};

}  // namespace muster::io
