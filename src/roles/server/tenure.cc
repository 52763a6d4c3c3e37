#include "roles/server/tenure.h"

namespace muster::roles::server {

void Tenure::begin(Instant now, int64_t settled) {
  heard_ = false;
  due_ = begun_ = now;
  settled_before_ = settled;
}

void Tenure::lose(Instant now, const std::string& machine, const std::string& instance,
                  int64_t settled) {
  lost_ = {machine, instance};
  const bool was_short = !heard_ || now - begun_ < kShortLived;
  const bool came_to_nothing = settled <= settled_before_;
  ended_early_ = was_short && came_to_nothing ? ended_early_ + 1 : 0;
}

void Tenure::note_back(const std::string& machine, const std::string& instance) {
  if (lost_ != std::pair(machine, instance)) return;
  lost_ = {};
  ended_early_ = std::max(0, ended_early_ - 1);
}

}  // namespace muster::roles::server
