#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "web/http/event_queue.h"

namespace muster::web {

// What is answered. Of `body` and `events` one is used.
struct Reply {
  int status = 200;
  std::string type;  // Of the body; empty: there is none.
  std::shared_ptr<const std::string> body;
  // Set: the body is what comes into it, from now on until it is closed.
  std::shared_ptr<EventQueue> events;
  std::vector<std::pair<std::string, std::string>> fields;
};

}  // namespace muster::web
