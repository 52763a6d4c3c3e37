// A token's word (identity/token.h), as people copy it. One that is read is the same word again,
// and its id can stand in a name; any other letter makes it none.
#include "identity/token.h"
#include "base/check.h"
#include "base/hex.h"
#include "target.h"

namespace muster::fuzz {

void run(std::string_view input) {
  const auto token = identity::Token::parse(input);
  if (!token) {
    MUSTER_CHECK(token.error().code == Code::kInvalidArgument);
    MUSTER_CHECK(input.size() < 8 || token.error().message.find(input) == std::string::npos);
    return;
  }
  MUSTER_CHECK(token->word() == input);
  MUSTER_CHECK(is_hex(token->id, 16) && token->secret.size() == 16);
  const identity::Token other{token->id, std::string(16, '\0'), token->authority};
  MUSTER_CHECK((other.hash() == token->hash()) == (other.secret == token->secret));
}

std::vector<std::string> seeds() {
  std::vector<std::string> words;
  for (const char* pool : {"a", "b"}) words.push_back(identity::Token::make(sha256(pool)).word());
  words.push_back(words[0].substr(0, 40));
  words.push_back(words[0] + words[1]);
  return words;
}

std::vector<std::string> words() { return {"muster_", "-", "_", "=", "A"}; }

}  // namespace muster::fuzz
