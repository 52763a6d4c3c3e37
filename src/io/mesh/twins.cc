#include "io/mesh/twins.h"

#include <algorithm>

namespace muster::io {
namespace {

constexpr size_t kMostInstances = 16;

}  // namespace

bool Twins::are_two(const std::string& machine, const std::string& instance, Instant now) {
  Machine& known = machines_[machine];
  if (now < known.refused_until) return true;
  known.last = now;
  std::erase_if(known.returns, [&](Instant at) { return now - at > kWindow; });
  auto& instances = known.instances;
  if (!instances.empty() && instances.back() == instance) return false;
  if (std::erase(instances, instance) > 0) known.returns.push_back(now);
  if (instances.size() >= kMostInstances) instances.erase(instances.begin());
  instances.push_back(instance);
  if (known.returns.size() < kReturns) return false;
  known = {.instances = {}, .returns = {}, .last = now, .refused_until = now + kWindow};
  return true;
}

void Twins::forget_old(Instant now) {
  std::erase_if(machines_, [&](const auto& known) { return now - known.second.last > kWindow; });
}

}  // namespace muster::io
