#pragma once

#include <string>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace muster::fuzz {

// A tokenizer.json of every byte's letter and a few merges, and the files that may stand beside it.
// An empty text: there is no such file.
struct TokenizerTexts {
  std::string tokenizer, config, map, added, model;
};

// Some that are let in, and together use all that is implemented.
std::vector<TokenizerTexts> small_tokenizers();

// A folder of this process for such files; gone when it ends.
class TokenizerFolder {
 public:
  TokenizerFolder();
  TokenizerFolder(const TokenizerFolder&) = delete;
  TokenizerFolder& operator=(const TokenizerFolder&) = delete;
  ~TokenizerFolder();

  void write(const TokenizerTexts& texts) const;
  [[nodiscard]] const Path& path() const { return path_; }

 private:
  Path path_;
};

}  // namespace muster::fuzz
