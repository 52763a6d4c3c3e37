#include "mutations.h"

#include <algorithm>

#include "base/check.h"

namespace muster::fuzz {
namespace {

constexpr size_t kMostBytes = 1 << 16;
constexpr size_t kMostPiece = 64;
// Numbers at which something ends, and characters that mean something in many formats.
constexpr const char* kEdges[] = {"0",   "-1", "2147483648", "4294967296", "9223372036854775808",
                                  "1e9", "[",  "]",          "{",          "}",
                                  "\"",  ",",  "null",       "\\u0000",    "\\ud800"};

}  // namespace

Mutations::Mutations(std::vector<std::string> seeds, std::vector<std::string> words, Rng rng)
    : seeds_(std::move(seeds)), words_(std::move(words)), rng_(rng) {
  MUSTER_CHECK(!seeds_.empty());
  words_.insert(words_.end(), std::begin(kEdges), std::end(kEdges));
}

const std::string& Mutations::next() {
  input_ = seeds_[rng_.below(seeds_.size())];
  for (uint64_t changes = 1 + rng_.below(6); changes > 0; --changes) change();
  if (input_.size() > kMostBytes) input_.resize(kMostBytes);
  return input_;
}

size_t Mutations::place() { return input_.empty() ? 0 : rng_.below(input_.size()); }

std::string Mutations::piece_of(const std::string& text) {
  if (text.empty()) return "";
  const size_t begin = rng_.below(text.size());
  return text.substr(begin, 1 + rng_.below(kMostPiece));
}

void Mutations::change() {
  const size_t at = place();
  switch (rng_.below(8)) {
    case 0:
      if (!input_.empty()) input_[at] = static_cast<char>(input_[at] ^ (1 << rng_.below(8)));
      return;
    case 1:
      if (!input_.empty()) input_[at] = static_cast<char>(rng_.below(256));
      return;
    case 2:
      input_.insert(at, 1, static_cast<char>(rng_.below(256)));
      return;
    case 3:
      input_.erase(at, 1 + rng_.below(kMostPiece));
      return;
    case 4:
      input_.insert(at, piece_of(input_));
      return;
    case 5:
      input_.insert(at, piece_of(seeds_[rng_.below(seeds_.size())]));
      return;
    case 6:
      input_.insert(at, words_[rng_.below(words_.size())]);
      return;
    default: {
      const std::string& word = words_[rng_.below(words_.size())];
      input_.replace(at, word.size(), word);
    }
  }
}

}  // namespace muster::fuzz
