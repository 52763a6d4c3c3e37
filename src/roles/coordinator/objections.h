#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "base/result.h"

namespace muster::roles::coordinator {

// Who says that a job itself cannot work: that no engine reads its model, or that none can score an
// item. One machine may be broken, or lie, so that several must say so; and whoever could refutes
// it.
class Objections {
 public:
  using Subject = int64_t;  // An item's index, or:
  static constexpr Subject kModel = -1;
  using Voice = std::function<std::string(const std::string& machine)>;
  using IsRefuted = std::function<bool(Subject)>;

  // `machine` says so. What it said of the same subject before is forgotten.
  void add(Subject subject, const std::string& machine, const Error& error);
  // It has the model after all.
  void withdraw(const std::string& machine);

  // How many say so: machines with one `voice` are one.
  [[nodiscard]] size_t voices(Subject subject, const Voice& voice) const;
  // What one of them says of the first subject on which nobody has refuted them; null: nothing.
  // Valid until the next change.
  [[nodiscard]] const Error* open(const IsRefuted& is_refuted) const;

 private:
  std::map<Subject, std::map<std::string, Error>> all_;  // By machine; no subject without one.
};

}  // namespace muster::roles::coordinator
