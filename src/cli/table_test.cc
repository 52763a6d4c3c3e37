// The table is lm-eval's, character by character.
#include "cli/table.h"

#include <gtest/gtest.h>

#include "cli/results.h"

namespace muster::cli {
namespace {

TEST(Table, CentresHeadersAndAlignsByColumn) {
  Table table(
      {{"Tasks"}, {"Version", Table::Align::kRight}, {""}, {"Value", Table::Align::kRight}});
  table.add_row({"hellaswag", "1", "↑", "0.2868"});
  table.add_row({"", "", "±", "0.1"});
  EXPECT_EQ(table.text(),
            "|  Tasks  |Version|   |Value |\n"
            "|---------|------:|---|-----:|\n"
            "|hellaswag|      1|↑  |0.2868|\n"
            "|         |       |±  |   0.1|\n");
}

TEST(Table, ShowsWordsOfOthersAndObeysNone) {
  Table table({{"Owner"}});
  table.add_row({"\x1b[2J\x1b[1;1Hroot"});
  table.add_row({"me\n|you|"});
  EXPECT_EQ(table.text(),
            "|    Owner     |\n"
            "|--------------|\n"
            "|\uFFFD[2J\uFFFD[1;1Hroot|\n"
            "|me |you|      |\n");
}

pb::JobRow finished() {
  pb::JobRow row;
  row.set_job("ab12");
  row.set_run(1);
  row.mutable_model()->set_name("lab/m");
  row.mutable_model()->set_commit("c0ffee");
  row.mutable_model()->set_dtype("float32");
  row.mutable_request()->set_limit(10);
  auto* task = row.mutable_result()->add_tasks();
  task->set_task("tinyMMLU");
  task->set_version("0.0");
  task->set_items(10);
  task->set_documents(100);
  task->set_wanted_votes(2);
  task->set_least_votes(1);
  task->set_items_below(3);
  task->add_numeric_classes("first");
  task->add_numeric_classes("second");
  auto* metric = task->add_metrics();
  metric->set_name("acc");
  metric->set_value(0.25);
  return row;
}

TEST(Results, TheTableSaysWhatWasSettledOnFewerVotes) {
  EXPECT_EQ(
      results_table(finished()),
      "hf (pretrained=lab/m,revision=c0ffee,dtype=float32), limit: 10, num_fewshot: None\n"
      "| Tasks  |Version|Filter|n-shot|Metric|   |Value |   |Stderr|          votes          |"
      "class|\n"
      "|--------|------:|------|-----:|------|---|-----:|---|-----:|------------------------:|----"
      "-|\n"
      "|tinyMMLU|      0|none  |     0|acc   |↑  |0.2500|±  |   N/A|1 (3 of 10 items below "
      "2)|A, B |\n"
      "\n"
      "class A: first\n"
      "class B: second\n");
}

TEST(Results, TheFileHasLmEvalsKeysAndOursUnderMuster) {
  const Json file = results_json(finished());
  EXPECT_EQ(file["results"]["tinyMMLU"]["acc,none"], 0.25);
  EXPECT_EQ(file["results"]["tinyMMLU"]["acc_stderr,none"], "N/A");
  EXPECT_EQ(file["versions"]["tinyMMLU"], 0.0);
  EXPECT_EQ(file["n-samples"]["tinyMMLU"]["effective"], 10);
  EXPECT_EQ(file["higher_is_better"]["tinyMMLU"]["acc"], true);
  EXPECT_EQ(file["config"]["model_sha"], "c0ffee");
  EXPECT_EQ(file["model_name_sanitized"], "lab__m");
  EXPECT_EQ(file["muster"]["votes"]["tinyMMLU"]["items_below"], 3);
}

}  // namespace
}  // namespace muster::cli
