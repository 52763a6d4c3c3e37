#include "web/pages/pages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>

#include "base/json.h"
#include "web/pages/tar.h"

namespace muster::web {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::string tar_entry(const std::string& name, const std::string& body, char type = '0') {
  std::string block(512, '\0');
  block.replace(0, name.size(), name);
  char size[12];
  std::snprintf(size, sizeof size, "%011zo", body.size());
  block.replace(124, 11, size);
  block[156] = type;
  std::string padded = body;
  padded.resize((body.size() + 511) / 512 * 512);
  return block + padded;
}

TEST(TarTest, FindsFilesByName) {
  const std::string archive = tar_entry("./", "", '5') + tar_entry("./a.js", "one") +
                              tar_entry("./b/c.css", std::string(600, 'x')) +
                              tar_entry("empty", "") + std::string(1024, '\0');
  const auto files = files_of_tar(archive);
  EXPECT_THAT(files, ElementsAre(Pair("a.js", "one"), Pair("b/c.css", std::string(600, 'x')),
                                 Pair("empty", "")));
}

Reply page(const std::string& target) {
  return page_for({.method = "GET", .target = *parse_target(target)});
}

TEST(PagesTest, EveryAddressOfPeopleIsOneAndAnyOtherIsNot) {
  EXPECT_EQ(page("/").status, 200);
  EXPECT_EQ(page("/jobs?state=done").status, 200);
  EXPECT_EQ(page("/jobs/0123456789abcdef/1/items/tinyMMLU/57").status, 200);
  for (const char* target : {"/nowhere", "/jobs/1/2/3", "/leaderboard/x", "/assets/none.js",
                             "/../openapi.json", "/openapi.json", "/pages/index.html"}) {
    EXPECT_EQ(page(target).status, 404) << target;
  }
  EXPECT_TRUE(page("/nowhere").type.starts_with("text/html"));
}

// "route('/jobs/:job', ...": its own list is that of the pages themselves.
TEST(PagesTest, AddressesAreThoseOfThePages) {
  std::ifstream file(std::string(MUSTER_SOURCE_DIR) + "/site/src/router.svelte.ts");
  std::vector<std::string> routes;
  for (std::string line; std::getline(file, line);) {
    const size_t begin = line.find("  route('");
    if (begin != 0) continue;
    routes.push_back(line.substr(9, line.find('\'', 9) - 9));
  }
  EXPECT_THAT(routes, testing::ElementsAreArray(page_addresses()));
}

TEST(PagesTest, TheDescriptionIsTheRepositorys) {
  const auto description = parse_json(api_description(), 4 << 20);
  ASSERT_TRUE(description) << description.error().message;
  EXPECT_TRUE(description->contains("paths"));
}

}  // namespace
}  // namespace muster::web
