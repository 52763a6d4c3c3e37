#pragma once

#include <string_view>

#include "wire/pb.h"

namespace muster::wire {

// A role as logs name it: "server"; "client" for what is none of a daemon's.
constexpr std::string_view to_word(pb::Role role) {
  switch (role) {
    case pb::ROLE_SERVER:
      return "server";
    case pb::ROLE_COORDINATOR:
      return "coordinator";
    case pb::ROLE_WORKER:
      return "worker";
    case pb::ROLE_STORAGE:
      return "storage";
    default:
      return "client";
  }
}

}  // namespace muster::wire
