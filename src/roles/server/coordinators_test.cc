#include "roles/server/coordinators.h"

#include <gtest/gtest.h>

namespace muster::roles::server {
namespace {

constexpr Instant kStart{seconds(100)};

pb::PoolRow row_of(const std::vector<std::string>& machines) {
  pb::PoolRow row;
  row.set_pool("the pool");
  for (const std::string& machine : machines) row.add_coordinators(machine);
  return row;
}

// Each case in the order of who comes; "+" may coordinate, "-" may not.
TEST(Coordinators, AreTheNamedOnesOrTheFirst) {
  struct Case {
    const char* name;
    std::vector<std::string> named, known;
    std::string who, may;
  };
  for (const Case& c : {Case{"the first that comes", {}, {}, "aba", "+-+"},
                        Case{"the one of the server before", {}, {"b"}, "aba", "-+-"},
                        Case{"those that are named", {"a", "c"}, {"b"}, "abc", "+-+"}}) {
    WriteIds ids;
    Coordinators coordinators(kStart, c.named, row_of(c.known), ids);
    std::string may;
    for (const char machine : c.who) {
      Effects effects;
      may += coordinators.refuse(std::string(1, machine), effects).empty() ? '+' : '-';
    }
    EXPECT_EQ(may, c.may) << c.name;
  }
}

TEST(Coordinators, SayHowToAddOne) {
  WriteIds ids;
  Effects effects;
  Coordinators coordinators(kStart, {"a", "b"}, {}, ids);
  const std::string why = coordinators.refuse("c", effects);
  EXPECT_NE(why.find("--coordinator a --coordinator b --coordinator c"), std::string::npos) << why;
}

TEST(Coordinators, AreWrittenUntilTheyAreThere) {
  WriteIds ids;
  Coordinators coordinators(kStart, {}, row_of({}), ids);
  Effects effects;
  EXPECT_EQ(coordinators.refuse("a", effects), "");
  Instant now = kStart;
  for (const Outcome outcome : {Outcome::kFailed, Outcome::kUnknown, Outcome::kFailed}) {
    ASSERT_EQ(effects.commits.size(), 1u);
    const Commit write = effects.commits[0];
    EXPECT_EQ(std::get<SavePool>(write.changes.at(0)).row.coordinators(0), "a");
    EXPECT_EQ(std::get<SavePool>(write.changes.at(0)).row.pool(), "the pool");
    EXPECT_TRUE(coordinators.settle(now, {write.id, outcome, ""}));
    EXPECT_EQ(coordinators.writing(), 1u);
    effects = {};
    coordinators.keep(now += kRepeatEvery, effects);
  }
  EXPECT_TRUE(coordinators.settle(now, {effects.commits.at(0).id}));
  EXPECT_EQ(coordinators.writing(), 0u);
  EXPECT_FALSE(coordinators.settle(now, {effects.commits.at(0).id}));
}

TEST(Coordinators, WithACertificateAreAllLetInAndMakeRoomWhenTheyAreGone) {
  WriteIds ids;
  Coordinators coordinators(kStart, {}, row_of({"first"}), ids);
  Effects effects;
  std::set<std::string> here{"first"};
  for (int i = 1; i < Coordinators::kMost; ++i) {
    EXPECT_EQ(coordinators.admit("c" + std::to_string(i), here, effects), "");
  }
  EXPECT_EQ(effects.commits.size(), 1u) << "one write at a time";
  EXPECT_EQ(coordinators.row().coordinators_size(), Coordinators::kMost);
  EXPECT_EQ(coordinators.admit("new", here, effects), "");
  const auto& known = coordinators.row().coordinators();
  EXPECT_EQ(known.size(), Coordinators::kMost);
  EXPECT_EQ(known.Get(0), "first") << "it is here";
  EXPECT_EQ(known.Get(1), "c2");
  here.insert(known.begin(), known.end());
  EXPECT_NE(coordinators.admit("one more", here, effects), "");
  EXPECT_EQ(coordinators.admit("first", here, effects), "");
  EXPECT_TRUE(coordinators.settle(kStart, {effects.commits.at(0).id, Outcome::kDone, ""}));
  effects = {};
  coordinators.keep(kStart, effects);
  ASSERT_EQ(effects.commits.size(), 1u) << "what came meanwhile";
  EXPECT_EQ(std::get<SavePool>(effects.commits[0].changes.at(0)).row.coordinators_size(),
            Coordinators::kMost);
}

TEST(Coordinators, AnOlderRowNeverTakesThePlaceOfANewerOne) {
  WriteIds ids;
  Coordinators coordinators(kStart, {}, {}, ids);
  Effects effects;
  for (const char* machine : {"a", "b"}) EXPECT_EQ(coordinators.admit(machine, {}, effects), "");
  Instant now = kStart;
  std::string last;
  for (const Outcome outcome :
       {Outcome::kUnknown, Outcome::kFailed, Outcome::kDone, Outcome::kDone}) {
    ASSERT_EQ(effects.commits.size(), 1u);
    const Commit write = effects.commits[0];
    const auto& row = std::get<SavePool>(write.changes.at(0)).row;
    last = row.coordinators(row.coordinators_size() - 1);
    EXPECT_TRUE(coordinators.settle(now, {write.id, outcome, ""}));
    effects = {};
    coordinators.keep(now += kRepeatEvery, effects);
  }
  EXPECT_EQ(last, "b");
  EXPECT_TRUE(effects.commits.empty());
  coordinators.forget("a", effects);
  EXPECT_EQ(coordinators.row().coordinators_size(), 1);
  EXPECT_EQ(effects.commits.size(), 1u);
}

TEST(Coordinators, ThatAreNamedAreWrittenAtTheStart) {
  WriteIds ids;
  Coordinators coordinators(kStart, {"a"}, row_of({"b"}), ids);
  Effects effects;
  coordinators.keep(kStart, effects);
  ASSERT_EQ(effects.commits.size(), 1u);
  EXPECT_EQ(std::get<SavePool>(effects.commits[0].changes.at(0)).row.coordinators_size(), 1);
}

}  // namespace
}  // namespace muster::roles::server
