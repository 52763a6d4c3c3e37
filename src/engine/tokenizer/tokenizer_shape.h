#pragma once

#include "base/json.h"
#include "base/result.h"

namespace muster::engine {

// Whether every field of tokenizer.json has the type that the reference's reader asks for, those
// included that no id depends on: it reads all of a file or nothing, and a flag that is 1 or "true"
// must not pass for one that is absent. It passes over fields that it does not know, but not at the
// top. kUnsupported, with the field's path. Vocabulary, merges and patterns have readers of their
// own.
Status check_tokenizer_shape(const Json& settings);

// The same for what of tokenizer_config.json has only one type and is read without looking.
Status check_tokenizer_config_shape(const Json& settings);

}  // namespace muster::engine
