#include "roles/server/tenure.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};

TEST(Tenure, ALossCountsWhenItWasEarlyAndCameToNothing) {
  struct Case {
    const char* name;
    bool heard;
    Duration had;
    int64_t settled;
    int ended_early;
  };
  for (const Case& c :
       {Case{"at once", false, seconds(0), 5, 1}, Case{"it never spoke", false, seconds(60), 5, 1},
        Case{"early", true, seconds(29), 5, 1}, Case{"not early", true, seconds(30), 5, 0},
        Case{"something was settled", true, seconds(1), 6, 0},
        Case{"by whomever it was", false, seconds(1), 6, 0}}) {
    Tenure tenure;
    tenure.begin(kStart, 5);
    if (c.heard) tenure.note_heard();
    EXPECT_EQ(tenure.is_heard(), c.heard) << c.name;
    tenure.lose(kStart + c.had, "coord", "i1", c.settled);
    EXPECT_EQ(tenure.ended_early(), c.ended_early) << c.name;
  }
}

TEST(Tenure, TenInARowAreHopeless) {
  Tenure tenure;
  for (int i = 0; i < Tenure::kMostEndedEarly; ++i) {
    EXPECT_FALSE(tenure.is_hopeless()) << i;
    tenure.begin(kStart, 5);
    tenure.lose(kStart, "coord", std::to_string(i), 5);
  }
  EXPECT_TRUE(tenure.is_hopeless());
  tenure.begin(kStart, 5);
  tenure.lose(kStart, "coord", "i", 6);
  EXPECT_EQ(tenure.ended_early(), 0) << "one that settled something ends the row";
}

TEST(Tenure, AProcessThatIsBackHadNotEnded) {
  Tenure tenure;
  for (const char* instance : {"i1", "i2"}) {
    tenure.begin(kStart, 5);
    tenure.lose(kStart, "coord", instance, 5);
  }
  tenure.note_back("coord", "i1");
  tenure.note_back("another", "i2");
  EXPECT_EQ(tenure.ended_early(), 2);
  tenure.note_back("coord", "i2");
  tenure.note_back("coord", "i2");
  EXPECT_EQ(tenure.ended_early(), 1) << "once";
}

TEST(Tenure, IsDueAtItsBeginningAndThenNowAndThen) {
  Tenure tenure("coord");
  EXPECT_EQ(tenure.before(), "coord");
  tenure.note_heard();
  tenure.begin(kStart, 0);
  EXPECT_FALSE(tenure.is_heard());
  EXPECT_EQ(tenure.due(), kStart);
  tenure.put_off(kStart);
  EXPECT_EQ(tenure.due(), kStart + kRepeatEvery);
}

}  // namespace
}  // namespace muster::roles::server
