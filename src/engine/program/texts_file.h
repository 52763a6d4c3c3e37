#pragma once

#include "base/file.h"
#include "base/result.h"

namespace muster::engine {

// Encodes the JSON lines of one file into another: a text each, as a JSON string; out come the
// lists of its token ids, in the same order, with the special tokens that the tokenizer adds by
// default. The output appears whole or not at all.
Status encode_file(const Path& model, const Path& texts, const Path& output);

}  // namespace muster::engine
