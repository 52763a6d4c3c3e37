// Each thing that is said is one line, whatever it quotes.
#include "io/log_line.h"

#include <gtest/gtest.h>

#include "base/json.h"

namespace muster::io {
namespace {

constexpr std::chrono::system_clock::time_point kAt{std::chrono::milliseconds(1'700'000'000'007)};

TEST(LogLine, SaysWhenWhoWhatAndAboutWhat) {
  EXPECT_EQ(json_line({kAt,
                       "info",
                       "coordinator",
                       "lease 17 to 0a1b2c",
                       {.job = "j", .machine = "m", .lease = "2.17"}}),
            "{\"time\":\"2023-11-14T22:13:20.007Z\",\"level\":\"info\",\"role\":\"coordinator\","
            "\"message\":\"lease 17 to 0a1b2c\",\"job\":\"j\",\"machine\":\"m\","
            "\"lease\":\"2.17\"}\n");
}

TEST(LogLine, OfNothingInParticularHasNoIds) {
  EXPECT_EQ(json_line({kAt, "warning", "server", "a", {}}),
            "{\"time\":\"2023-11-14T22:13:20.007Z\",\"level\":\"warning\",\"role\":\"server\","
            "\"message\":\"a\"}\n");
}

TEST(LogLine, IsOneLineWhateverItQuotes) {
  for (const std::string& said : {std::string("a\nb\r\n\"c\"\\"), std::string("\0\x1b[31m", 6),
                                  std::string("\xff\xc3"), std::string("\xe2\x80\xa8")}) {
    const std::string line = json_line({kAt, "info", "server", said, {.job = said}});
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    const auto json = parse_json(line.substr(0, line.size() - 1), line.size());
    ASSERT_TRUE(json) << json.error().message;
    EXPECT_TRUE((*json)["message"].is_string());
  }
}

}  // namespace
}  // namespace muster::io
