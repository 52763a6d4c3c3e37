#pragma once

#include <string>
#include <vector>

#include "base/rng.h"

namespace muster::fuzz {

// Inputs near the seeds: one of them with a few changes, whose kinds and places are drawn. No
// coverage is looked at, so the same seeds, words and chance give the same inputs for ever.
class Mutations {
 public:
  // `seeds` is not empty.
  Mutations(std::vector<std::string> seeds, std::vector<std::string> words, Rng rng);

  // Stands until the next call.
  const std::string& next();

 private:
  void change();
  size_t place();  // In the input; 0 when it is empty.
  std::string piece_of(const std::string& text);

  std::vector<std::string> seeds_, words_;
  Rng rng_;
  std::string input_;
};

}  // namespace muster::fuzz
