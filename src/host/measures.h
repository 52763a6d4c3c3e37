#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/time.h"
#include "roles/counts.h"
#include "wire/pb.h"

namespace muster::host {

// How long something took, each time: how many times no longer than each bound, and than none.
class Durations {
 public:
  static constexpr std::array kBounds{milliseconds(1),      milliseconds(2),     milliseconds(5),
                                      milliseconds(10),     milliseconds(20),    milliseconds(50),
                                      milliseconds(100),    milliseconds(200),   milliseconds(500),
                                      milliseconds(1000),   milliseconds(2000),  milliseconds(5000),
                                      milliseconds(10'000), milliseconds(60'000)};

  void add(Duration took);
  // Of the bound at `index`: not those of lower bounds. kBounds.size(): longer than all.
  [[nodiscard]] uint64_t count(size_t index) const { return counts_[index]; }
  [[nodiscard]] Duration sum() const { return sum_; }

 private:
  std::array<uint64_t, kBounds.size() + 1> counts_{};
  Duration sum_{};
};

// What the roles of a process have counted since it began, and how things stand with them.
struct Measures {
  std::set<pb::Role> roles;
  std::map<std::pair<roles::Count::What, std::string>, uint64_t> counts;
  Durations acknowledged;
  roles::Gauges gauges;
};

}  // namespace muster::host
