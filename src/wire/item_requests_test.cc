// What is packed comes out as it was, and says no context twice in a row.
#include "wire/item_requests.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace muster::wire {
namespace {

using Requests = std::vector<std::pair<std::string, std::string>>;  // {context, continuation}

pb::ItemRequests packed(const Requests& requests) {
  pb::ItemRequests item;
  pack_requests(requests, item);
  return item;
}

TEST(ItemRequests, ComeOutAsTheyWentIn) {
  for (const Requests& requests : std::vector<Requests>{
           {},
           {{"the sky is", " blue"}},
           {{"the sky is", " blue"}, {"the sky is", " green"}, {"the sea is", " green"}},
           {{"a", "1"}, {"b", "2"}, {"a", "3"}, {"a", "4"}},
           {{"", "1"}, {"", "2"}, {"a", "3"}, {"", "4"}},
           {{"a", ""}, {"", ""}},
           {{std::string("\0\xff", 2), "1"}, {std::string("\0\xff", 2), "2"}},
       }) {
    EXPECT_EQ(unpack_requests<Requests::value_type>(packed(requests)), requests);
  }
}

TEST(ItemRequests, AContextIsSaidOnceForAllInARow) {
  const auto item = packed({{"a", "1"}, {"a", "2"}, {"", "3"}, {"a", "4"}});
  EXPECT_TRUE(item.requests(0).has_context());
  EXPECT_FALSE(item.requests(1).has_context());
  EXPECT_TRUE(item.requests(2).has_context()) << "an empty one is one";
  EXPECT_TRUE(item.requests(3).has_context());
}

TEST(ItemRequests, OneWithoutTheFirstContextHasAnEmptyOne) {
  pb::ItemRequests item;
  item.add_requests()->set_continuation("1");
  EXPECT_EQ(unpack_requests<Requests::value_type>(item), (Requests{{"", "1"}}));
}

}  // namespace
}  // namespace muster::wire
