#include "roles/storage/digest_ranges.h"

#include <gmock/gmock.h>

namespace muster::roles::storage {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::SizeIs;

std::vector<Digest> digests(size_t count) {
  std::vector<Digest> all;
  for (size_t i = 0; i < count; ++i) all.push_back(sha256(std::to_string(i)));
  return all;
}

TEST(DigestRangesTest, SameInAnyOrder) {
  const auto mine = digests(1000);
  const std::vector<Digest> theirs(mine.rbegin(), mine.rend());
  EXPECT_THAT(to_ranges(mine), SizeIs(16));
  EXPECT_THAT(in_other_ranges(theirs, to_ranges(mine), 9999), IsEmpty());
}

TEST(DigestRangesTest, NamesWhatTheOtherLacksAndLittleMore) {
  const auto all = digests(1000);
  std::vector<Digest> theirs = all;
  theirs.erase(theirs.begin() + 500);
  theirs.erase(theirs.begin() + 7);
  const auto others = in_other_ranges(all, to_ranges(theirs), 9999);
  EXPECT_THAT(others, IsSupersetOf({all[7], all[500]}));
  EXPECT_LT(others.size(), 250u);  // Two ranges of 16.
}

TEST(DigestRangesTest, OfNothing) {
  const auto all = digests(1);
  EXPECT_THAT(to_ranges({}), SizeIs(1));
  EXPECT_THAT(in_other_ranges(all, to_ranges({}), 9999), ElementsAre(all[0]));
  EXPECT_THAT(in_other_ranges({}, to_ranges(all), 9999), IsEmpty());
}

TEST(DigestRangesTest, NeverMoreThanAsked) {
  EXPECT_THAT(in_other_ranges(digests(1000), to_ranges({}), 10), SizeIs(10));
}

TEST(DigestRangesTest, AnswersNothingToAWrongNumberOfRanges) {
  auto three = to_ranges({});
  three.Add();
  three.Add();
  EXPECT_THAT(in_other_ranges(digests(10), three, 10), IsEmpty());
}

}  // namespace
}  // namespace muster::roles::storage
