#include "wire/short_id.h"

namespace muster::wire {

std::string short_ids(const std::set<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += (text.empty() ? "" : ", ") + short_id(id);
  return text;
}

}  // namespace muster::wire
