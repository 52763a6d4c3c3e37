#include "base/json_shape.h"

#include <gtest/gtest.h>

namespace muster {
namespace {

constexpr JsonField kFields[] = {{"name", json_type::kText},
                                 {"count", json_type::kWholeOrNull},
                                 {"is_old", json_type::kFlag, false}};

std::string said(const std::string& where, const Json& object) {
  const auto checked = check_fields(where, object, kFields);
  return checked ? "" : checked.error().message;
}

TEST(JsonShape, NamesTheFieldThatIsOfAnotherType) {
  EXPECT_EQ(said("", {{"name", "a"}, {"count", 1}}), "");
  EXPECT_EQ(said("", {{"name", "a"}, {"count", nullptr}, {"is_old", false}, {"more", 1}}), "");
  EXPECT_EQ(said("", {{"count", 1}}), "name must be a string");
  EXPECT_EQ(said("of.it", {{"name", nullptr}, {"count", 1}}), "of.it.name must be a string");
  EXPECT_EQ(said("", {{"name", "a"}, {"count", -1}}), "count must be a whole number or null");
  EXPECT_EQ(said("", {{"name", "a"}, {"count", 1}, {"is_old", nullptr}}),
            "is_old must be true or false");
  EXPECT_EQ(said("of.it", Json::array()), "of.it must be an object");
  EXPECT_EQ(said("", 1), "it must be an object");
}

}  // namespace
}  // namespace muster
