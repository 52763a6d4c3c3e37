#include "web/board/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "web/board/board_view.h"

namespace muster::web {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const ColumnKey kAcc{"tinyMMLU", "acc", 0};

struct Done {
  std::string model;
  double acc = 0;
  int64_t items = 100, ended_ms = 1;
  std::string commit = "c1";
};

pb::JobRow row_of(const Done& done) {
  pb::JobRow row;
  row.set_job("j" + done.model + std::to_string(done.ended_ms));
  row.set_run(1);
  row.set_ended_at_ms(done.ended_ms);
  row.mutable_model()->set_name(done.model);
  row.mutable_model()->set_commit(done.commit);
  row.mutable_model()->set_dtype("float32");
  pb::TaskResult& task = *row.mutable_result()->add_tasks();
  task.set_task("tinyMMLU");
  task.set_items(done.items);
  task.set_documents(100);
  pb::Metric& metric = *task.add_metrics();
  metric.set_name("acc");
  metric.set_value(done.acc);
  return row;
}

std::vector<std::string> names(const std::vector<BoardRow>& rows) {
  std::vector<std::string> names;
  for (const BoardRow& row : rows) names.push_back(row.row->model.name);
  return names;
}

TEST(BoardTest, OfAModelTheNewestFullRunCounts) {
  Board board;
  board.add(row_of({.model = "m", .acc = 0.4, .ended_ms = 5}));
  board.add(row_of({.model = "m", .acc = 0.3, .ended_ms = 4}));
  board.add(row_of({.model = "m", .acc = 0.9, .items = 10, .ended_ms = 9}));
  board.add(row_of({.model = "m", .acc = 0.5, .ended_ms = 6, .commit = "c2"}));
  ASSERT_EQ(board.rows().size(), 2);
  EXPECT_EQ(board.rows().at({"m", "c1", "float32"}).full.at(kAcc).value, 0.4);
  EXPECT_THAT(board.rows().at({"m", "c1", "float32"}).partial, IsEmpty());
  EXPECT_EQ(board.columns().at(kAcc), 2);
}

TEST(BoardTest, APartStandsInUntilThereIsAFullRun) {
  Board board;
  board.add(row_of({.model = "m", .acc = 0.9, .items = 10}));
  EXPECT_THAT(names(rows_of(board, {.columns = {kAcc}})), IsEmpty());
  const auto shown = rows_of(board, {.columns = {kAcc}, .with_partial = true});
  ASSERT_THAT(names(shown), ElementsAre("m"));
  EXPECT_TRUE(shown.front().cells.front()->is_partial());
  EXPECT_FALSE(board.rank(kAcc, {"m", "c1", "float32"}));
  board.add(row_of({.model = "m", .acc = 0.5}));
  EXPECT_THAT(names(rows_of(board, {.columns = {kAcc}})), ElementsAre("m"));
}

TEST(BoardTest, WhatIsAddedAgainChangesNothing) {
  Board board;
  board.add(row_of({.model = "m", .acc = 0.4}));
  const uint64_t revision = board.revision();
  board.add(row_of({.model = "m", .acc = 0.4}));
  EXPECT_EQ(board.revision(), revision);
  board.add(row_of({.model = "n", .acc = 0.4}));
  EXPECT_GT(board.revision(), revision);
}

TEST(BoardTest, RanksAreOfTheWholeColumn) {
  Board board;
  board.add(row_of({.model = "best", .acc = 0.9}));
  board.add(row_of({.model = "next", .acc = 0.5}));
  board.add(row_of({.model = "near", .acc = 0.45}));
  const auto rank = [&](const char* model) { return *board.rank(kAcc, {model, "c1", "float32"}); };
  EXPECT_EQ(rank("best"), (eval::RankRange{1, 1}));
  EXPECT_EQ(rank("next"), (eval::RankRange{2, 3}));
  EXPECT_EQ(rank("near"), (eval::RankRange{2, 3}));
  EXPECT_EQ(board.ranked(kAcc), 3);
  EXPECT_THAT(names(rows_of(board, {.columns = {kAcc}, .text = "NE"})),
              ElementsAre("next", "near"));
  EXPECT_EQ(rank("near"), (eval::RankRange{2, 3}));
  EXPECT_EQ(board.rank(kAcc, row_of({.model = "next", .acc = 0.5})), (eval::RankRange{2, 3}));
  EXPECT_FALSE(board.rank(kAcc, row_of({.model = "next", .acc = 0.5, .ended_ms = 7})));
  board.add(row_of({.model = "worse", .acc = 0.1}));
  EXPECT_EQ(board.ranked(kAcc), 4);
}

TEST(BoardTest, WhoHasNoValueInTheFirstColumnComesLast) {
  Board board;
  const ColumnKey other{"tinyHellaswag", "acc", 0};
  pb::JobRow row = row_of({.model = "a", .acc = 0.9});
  row.mutable_result()->mutable_tasks(0)->set_task("tinyHellaswag");
  board.add(row);
  board.add(row_of({.model = "b", .acc = 0.2}));
  board.add(row_of({.model = "c", .acc = 0.8}));
  EXPECT_THAT(names(rows_of(board, {.columns = {kAcc, other}})), ElementsAre("c", "b", "a"));
  EXPECT_THAT(names(rows_of(board, {.columns = {kAcc}})), ElementsAre("c", "b"));
}

TEST(BoardTest, WhatIsNoNumberIsNotThere) {
  Board board;
  board.add(row_of({.model = "m", .acc = std::nan("")}));
  EXPECT_THAT(rows_of(board, {.columns = {kAcc}}), IsEmpty());
  EXPECT_THAT(board.columns(), IsEmpty());
}

TEST(BoardTest, SharesOfItemsHaveWilsonsInterval) {
  pb::Metric metric;
  metric.set_value(0.16);
  const auto interval = *interval_of("acc", metric, 100);
  EXPECT_TRUE(interval.is_wilson);
  EXPECT_NEAR(interval.wide.low, 0.101, 5e-4);
  EXPECT_NEAR(interval.wide.high, 0.244, 5e-4);
  EXPECT_GT(interval.narrow.low, interval.wide.low);
  EXPECT_FALSE(interval_of("perplexity", metric, 100));
  metric.set_stderr(0.01);
  EXPECT_FALSE(interval_of("perplexity", metric, 100)->is_wilson);
}

TEST(BoardTest, ShowsTheTasksThatMostHaveRun) {
  Board board;
  EXPECT_THAT(usual_tasks(board, 1), ElementsAre("tinyHellaswag"));
  board.add(row_of({.model = "m", .acc = 0.4}));
  EXPECT_THAT(usual_tasks(board, 4), ElementsAre("tinyMMLU", "tinyHellaswag"));
  EXPECT_EQ(main_column(board, "tinyMMLU"), kAcc);
  EXPECT_TRUE(is_task(board, "tinyHellaswag"));
  EXPECT_FALSE(is_task(board, "else"));
}

}  // namespace
}  // namespace muster::web
