#pragma once

#include <string>
#include <vector>

#include "roles/role.h"

namespace muster::sim {

// A numeric class of the stand-in engine. Its answers are a hash of the question, moved by less
// than half the tolerance: by the same amount within a class, by another in each class, and in an
// approximate class by another at every run. One question in eight is a near tie, whose greedy flag
// may then fall either way.
struct ModelClass {
  std::string name = "test";
  bool exact = false;  // Not moved at all: what one process alone would say.
};

using Question = std::pair<std::string, std::string>;  // {context, continuation}

// `draw` makes the runs of an approximate class differ; others ignore it.
std::vector<pb::Response> answers_of(const ModelClass& model_class,
                                     const std::vector<Question>& questions, uint64_t draw);

// Whether this class might have answered so: what a checker allows a settled value to be.
bool is_allowed(const std::string& numeric_class, const std::vector<pb::Response>& responses,
                const std::vector<Question>& questions);

}  // namespace muster::sim
