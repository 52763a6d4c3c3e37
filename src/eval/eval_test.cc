// The requests and the metrics are lm-eval's: golden requests, worked numbers, odd cases by name.
#include <gtest/gtest.h>

#include <fstream>

#include "eval/hellaswag.h"
#include "eval/metric.h"
#include "eval/mmlu.h"
#include "eval/task.h"
#include "eval/text.h"

namespace muster::eval {
namespace {

std::vector<Json> golden() {
  std::ifstream file(MUSTER_SOURCE_DIR "/tests/data/golden_requests.jsonl");
  std::vector<Json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(*parse_json(line, 1 << 20));
  return rows;
}

void expect_requests(const Item& item, const Json& row) {
  ASSERT_EQ(item.requests.size(), row["requests"].size());
  for (size_t i = 0; i < item.requests.size(); ++i) {
    EXPECT_EQ(item.requests[i].context, row["requests"][i][0]);
    EXPECT_EQ(item.requests[i].continuation, row["requests"][i][1]);
    EXPECT_EQ(item.lengths[i], length(row["choices"][i].get<std::string>()));
  }
  EXPECT_EQ(item.gold, row["gold"]);
  EXPECT_EQ(sha256(item.requests[0].context).hex(), row["prompt_sha256"]);
}

TEST(Requests, EqualTheGoldenOnes) {
  int hellaswag = 0, mmlu = 0;
  const auto tiny = *build_items(**find_task("tinyMMLU"), {});
  for (const Json& row : golden()) {
    if (row["task"] == "hellaswag") {
      ++hellaswag;
      expect_requests(*hellaswag_item(row["doc"]), row);
    } else {
      for (const Item& item : tiny) {
        if (item.doc["id"] != row["doc"]["id"]) continue;
        ++mmlu;
        expect_requests(item, row);
      }
    }
  }
  EXPECT_EQ(hellaswag, 3);
  EXPECT_EQ(mmlu, 1);
}

TEST(Tasks, HaveTheirHundredItemsInOrder) {
  for (const Task& task : tasks()) {
    const auto items = build_items(task, {});
    ASSERT_TRUE(items) << items.error().message;
    ASSERT_EQ(items->size(), 100u) << task.name;
    for (size_t i = 0; i < items->size(); ++i) EXPECT_EQ((*items)[i].doc["pos"], i);
  }
}

TEST(Tasks, AnUnknownNameIsToldTheNearest) {
  EXPECT_EQ(find_task("tinymlu").error().message,
            "no task is called 'tinymlu'; the nearest is tinyMMLU");
  EXPECT_EQ(find_task("hellaswag").error().code, Code::kUnsupported);
}

TEST(Tasks, ALimitCountsDocumentsOrTakesAShare) {
  EXPECT_EQ(limited(100, std::nullopt), 100);
  EXPECT_EQ(limited(100, 10.0), 10);
  EXPECT_EQ(limited(100, 0.251), 26);
  EXPECT_EQ(limited(100, 1000.0), 100);
  EXPECT_EQ(limited(100, 1e300), 100);
}

TEST(Tasks, FewshotIsFixedForMmluAndLackingForHellaswag) {
  EXPECT_EQ(*resolve_fewshot(**find_task("tinyMMLU"), 5), 0);
  EXPECT_EQ(*resolve_fewshot(**find_task("tinyHellaswag"), 0), 0);
  EXPECT_EQ(resolve_fewshot(**find_task("tinyHellaswag"), 10).error().code, Code::kUnsupported);
}

struct TextCase {
  const char* name;
  std::string got, want;
};

TEST(Text, IsPythons) {
  const TextCase cases[] = {
      {"strip", strip("\u00a0\t a b\u3000\n"), "a b"},
      {"strip of nothing else", strip(" \u2003 "), ""},
      {"capitalize", capitalize("éTÉ Is"), "Été is"},
      {"capitalize a title letter", capitalize("ǆ"), "ǅ"},
      {"capitalize empty", capitalize(""), ""},
      {"three spaces", replace_all("a   b", "  ", " "), "a  b"},
      {"title", clean_hellaswag("[header] How [title] Do. [step] It"), " How. Do. It"},
      {"mark over a line", clean_hellaswag("a [b\nc] d"), "a [b\nc] d"},
      {"shortest mark", clean_hellaswag("x[a]]y"), "x]y"},
  };
  for (const TextCase& c : cases) EXPECT_EQ(c.got, c.want) << c.name;
  EXPECT_EQ(length("é日本"), 3);
}

Item four_choices(int64_t gold, std::vector<int64_t> lengths) {
  Item item;
  item.requests.resize(lengths.size());
  item.lengths = std::move(lengths);
  item.gold = gold;
  return item;
}

TEST(Metric, TiesGoToTheLowestIndexAndEmptyChoicesNeverWin) {
  const std::vector<Response> tied = {{-2, false}, {-1, false}, {-1, false}};
  EXPECT_EQ(score_item(four_choices(1, {1, 1, 1}), tied).acc, 1);
  EXPECT_EQ(score_item(four_choices(2, {1, 1, 1}), tied).acc, 0);
  EXPECT_EQ(score_item(four_choices(0, {4, 1, 1}), tied).acc_norm, 1);
  EXPECT_EQ(score_item(four_choices(1, {4, 0, 1}), tied).acc_norm, 0);
}

TEST(Metric, StandardErrorIsTheSamples) {
  EXPECT_DOUBLE_EQ(mean({1, 0, 0, 1}), 0.5);
  EXPECT_DOUBLE_EQ(*mean_stderr({1, 0, 0, 1}), std::sqrt(1.0 / 3) / 2);
  EXPECT_FALSE(mean_stderr({1}));
}

}  // namespace
}  // namespace muster::eval
