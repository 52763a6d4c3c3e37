#include "identity/token.h"

#include <gtest/gtest.h>

namespace muster::identity {
namespace {

const Digest kPool = sha256("a pool");

TEST(Token, IsOneWord) {
  const Token token = Token::make(kPool);
  const std::string word = token.word();
  EXPECT_EQ(word.size(), 87u);
  EXPECT_EQ(word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_-"),
            std::string::npos);
  const auto again = Token::parse(word);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, token.id);
  EXPECT_EQ(again->secret, token.secret);
  EXPECT_EQ(again->authority, kPool);
  EXPECT_EQ(again->hash(), token.hash());
}

TEST(Token, IsAnotherEachTime) {
  EXPECT_NE(Token::make(kPool).id, Token::make(kPool).id);
  EXPECT_NE(Token::make(kPool).hash(), Token::make(kPool).hash());
}

TEST(Token, ThatWasCutOrMistypedSaysSo) {
  const std::string word = Token::make(kPool).word();
  for (size_t length = 0; length < word.size(); ++length) {
    EXPECT_EQ(Token::parse(word.substr(0, length)).error().code, Code::kInvalidArgument);
  }
  EXPECT_FALSE(Token::parse(word + "A"));
  EXPECT_FALSE(Token::parse(word + "\n"));
  for (size_t i = 0; i < word.size(); ++i) {
    std::string mistyped = word;
    mistyped[i] = mistyped[i] == 'A' ? 'B' : 'A';
    const auto read = Token::parse(mistyped);
    ASSERT_FALSE(read) << i;
    EXPECT_EQ(read.error().message.find(mistyped.substr(7)), std::string::npos);
  }
}

TEST(Token, IsOneWordOnlyWhateverByteIsChanged) {
  const std::string word = Token::make(kPool).word();
  for (size_t i = 0; i < word.size(); ++i) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string other = word;
      other[i] = static_cast<char>(byte);
      EXPECT_EQ(Token::parse(other).has_value(), other == word) << i << " " << byte;
    }
  }
}

}  // namespace
}  // namespace muster::identity
