#pragma once

#include <string>
#include <vector>

#include "base/rng.h"
#include "roles/role.h"

namespace muster::sim {

// Fills and alters messages of any type by reflection. Numbers are small ones and those at the
// edges of their types; texts come from a list of stolen ones, so that much of it is well-formed.
class Scribbler {
 public:
  explicit Scribbler(Rng rng) : rng_(rng) {}

  // Bounded; nothing is kept twice in a row.
  void steal_text(const std::string& text);
  void steal_name(const std::string& name);  // Bytes: a digest, a key.

  // Three fields in four get a value; depth of nesting is bounded.
  void fill(google::protobuf::Message& message, int depth = 0);
  // One change somewhere: a field cleared, filled, doubled, emptied.
  void alter(google::protobuf::Message& message, int depth = 0);

 private:
  using Field = google::protobuf::FieldDescriptor;
  void fill_field(google::protobuf::Message& message, const Field& field, int depth);
  void fill_once(google::protobuf::Message& message, const Field& field, int depth);
  bool alter_list(google::protobuf::Message& message, const Field& field, int depth);
  uint64_t number();
  double real();
  std::string text();
  std::string name();

  Rng rng_;
  std::vector<std::string> texts_{""}, names_{""};
};

}  // namespace muster::sim
