#pragma once

#include <string>

#include "base/digest.h"
#include "base/file.h"
#include "base/json.h"
#include "base/result.h"

namespace muster::engine {

// What the files of a model directory say of its tokenizer when they are taken together, as
// AutoTokenizer of the reference takes them: tokenizer.json, and what tokenizer_config.json,
// special_tokens_map.json, added_tokens.json and config.json change of it.
struct TokenizerFiles {
  Json settings;           // tokenizer.json with all changes made.
  std::string begin, end;  // Texts of the begin and the end token; empty: none is named.
  Digest digest;           // Of the bytes of all these files.
};

// kNotFound without tokenizer.json; kUnsupported names the file and the key of what is not
// implemented, since leaving it out would give other ids.
Result<TokenizerFiles> read_tokenizer_files(const Path& directory);

}  // namespace muster::engine
