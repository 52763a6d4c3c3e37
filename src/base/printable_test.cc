// Words of others reach a terminal as one line that it only shows.
#include "base/printable.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

struct Case {
  const char* name;
  std::string_view in, out;
};

using namespace std::string_view_literals;

TEST(Printable, ShowsWordsAndNothingThatATerminalActsOn) {
  const Case cases[] = {
      {"words", "lab-3, Zürich ✓ 研究室", "lab-3, Zürich ✓ 研究室"},
      {"a colour", "\x1b[31mred\x1b[0m", "\uFFFD[31mred\uFFFD[0m"},
      {"a line that is not ours", "me\nmuster: all well\r\t.", "me muster: all well  ."},
      {"C1 is an escape, too",
       "\xC2\x9B"
       "2J",
       "\uFFFD"
       "2J"},
      {"zero and delete", "a\0b\x7F"sv,
       "a\uFFFD"
       "b\uFFFD"},
      {"a line separator", "a\u2028b", "a b"},
      {"right to left", "\u202Egnp.exe", "\uFFFDgnp.exe"},
      {"no UTF-8", "a\xFF\xC3", "a\uFFFD\uFFFD"},
      {"overlong", "\xC0\x80\xE0\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"a surrogate", "\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
      {"beyond the last", "\xF4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD"},
      {"nothing", "", ""},
  };
  for (const Case& c : cases) EXPECT_EQ(printable(c.in), c.out) << c.name;
}

TEST(Printable, CutsBetweenCharacters) {
  EXPECT_EQ(printable("abc", 3), "abc");
  EXPECT_EQ(printable("abcd", 3), "abc…");
  EXPECT_EQ(printable("aü", 2), "a…");
  EXPECT_EQ(printable(std::string(5000, 'x')).size(), 400 + 3);
}

TEST(Printable, KnowsUtf8) {
  EXPECT_TRUE(is_utf8("Zürich ✓ \U0001F600 \U0010FFFF"));
  for (const char* bad : {"\xFF", "\xC3", "\xC0\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace muster
