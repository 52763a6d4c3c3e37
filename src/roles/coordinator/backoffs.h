#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace muster::roles::coordinator {

// Machines that could not serve a job: that cannot have its model ready, or take leases and answer
// none. Each is given back to the pool and asked again later, after twice as long each time. It is
// known as such until it has served.
class Backoffs {
 public:
  struct Entry {
    Error why;        // The last time.
    Instant until{};  // When it is asked again.
    int times = 0;
  };
  // It could not, once more. The first time it is asked again after `first`, later at most
  // kLongest.
  const Entry& add(Instant now, const std::string& machine, Error why, Duration first);
  // It could after all.
  void remove(const std::string& machine) { entries_.erase(machine); }

  // It is not to be asked yet.
  [[nodiscard]] bool waits(Instant now, const std::string& machine) const;
  // It could not the last time, whether or not it may be asked again.
  [[nodiscard]] bool has(const std::string& machine) const { return entries_.contains(machine); }
  [[nodiscard]] const std::map<std::string, Entry>& all() const { return entries_; }

 private:
  static constexpr Duration kLongest = seconds(300);
  std::map<std::string, Entry> entries_;
};

}  // namespace muster::roles::coordinator
