#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace muster::eval {

// A model of the Hugging Face Hub as a person names it: ORG/NAME[@revision]. Both become parts of
// paths and of URLs, so nothing but these patterns may, whoever sent it.
struct ModelName {
  std::string name;               // ORG/NAME.
  std::string revision = "main";  // A branch, a tag or a commit.
};

// kUnsupported when it is not of this form.
Result<ModelName> parse_model_name(std::string_view text);

// ORG/NAME, each up to 96 letters, digits, '-', '_' and '.', not '-' or '.' at an end, no ".." and
// no
// "--" (which would be a '/' in the cache): the Hub's own rule.
bool is_model_name(std::string_view name);

// Parts of letters, digits, '-', '_' and '.', divided by '/', up to 96 characters together; none
// begins with '.' or '-' or has "..".
bool is_revision(std::string_view revision);

// 40 hex digits in lower case: a commit of the Hub. 64: the digest of a directory's files.
bool is_commit(std::string_view text);
bool is_directory_digest(std::string_view text);

}  // namespace muster::eval
