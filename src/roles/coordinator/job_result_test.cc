#include "roles/coordinator/job_result.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "eval/metric.h"

namespace muster::roles::coordinator {
namespace {

// Two choices, of which the first is right; as `right` says, the model thinks so or not.
std::vector<pb::Response> answer(bool right) {
  std::vector<pb::Response> choices(2);
  choices[0].set_loglikelihood(right ? -1 : -3);
  choices[1].set_loglikelihood(-2);
  return choices;
}

class JobResultTest : public testing::Test {
 protected:
  JobResultTest() { row.mutable_request()->set_redundancy(2); }

  // Tasks of so many items each.
  void freeze(const std::vector<size_t>& sizes) {
    auto tasks = std::make_shared<FrozenTasks>();
    for (size_t size : sizes) {
      FrozenTask& task = tasks->emplace_back();
      task.task = "task " + std::to_string(tasks->size());
      task.version = "v" + std::to_string(tasks->size());
      task.num_fewshot = static_cast<int32_t>(tasks->size());
      task.documents = 1000 + static_cast<int64_t>(tasks->size());
      task.note = "note " + std::to_string(tasks->size());
      for (size_t i = 0; i < size; ++i) {
        eval::Item& item = task.items.emplace_back();
        item.requests = {{"question", " right"}, {"question", " wrong"}};
        item.lengths = {5, 5};
      }
    }
    Rng rng(1);
    items.set_classes({"B", "A"});
    items.freeze(tasks, rng);
  }
  void settle(uint32_t index, bool right, size_t votes = 2, const std::string& its_class = "A") {
    Vote value;
    value.numeric_class = its_class;
    value.responses = answer(right);
    items.settle(index, value, votes);
  }
  pb::JobResult result() { return job_result(row, items, 12.5); }

  pb::JobRow row;
  Items items{2, [](const Item&) { return 2; }};
};

TEST_F(JobResultTest, EachTaskHasItsOwnItems) {
  freeze({4, 2});
  for (uint32_t i = 0; i < 4; ++i) settle(i, i == 0);
  for (uint32_t i = 4; i < 6; ++i) settle(i, true);
  const pb::JobResult out = result();
  ASSERT_EQ(out.tasks_size(), 2);
  EXPECT_EQ(out.tasks(0).items(), 4);
  EXPECT_EQ(out.tasks(0).metrics(0).name(), "acc");
  EXPECT_EQ(out.tasks(0).metrics(0).value(), 0.25);
  EXPECT_EQ(out.tasks(0).metrics(0).stderr(), 0.25);
  EXPECT_EQ(out.tasks(0).metrics(1).name(), "acc_norm_raw");
  EXPECT_EQ(out.tasks(1).items(), 2);
  EXPECT_EQ(out.tasks(1).metrics(0).value(), 1);
  EXPECT_EQ(out.tasks(1).task(), "task 2");
  EXPECT_EQ(out.tasks(1).version(), "v2");
  EXPECT_EQ(out.tasks(1).num_fewshot(), 2);
  EXPECT_EQ(out.tasks(1).documents(), 1002);
  EXPECT_EQ(out.tasks(1).note(), "note 2");
}

TEST_F(JobResultTest, OneItemHasNoStandardError) {
  freeze({1});
  settle(0, true);
  EXPECT_FALSE(result().tasks(0).metrics(0).has_stderr());
}

// The last bits of a sum depend on its order: this row of scores is one for which they do.
TEST_F(JobResultTest, SumsGoInItemOrderWhicheverSettledFirst) {
  std::vector<double> scores;
  Rng rng(1);
  const auto reversed = [&] { return std::vector<double>(scores.rbegin(), scores.rend()); };
  do {
    scores.clear();
    for (int i = 0; i < 50; ++i) scores.push_back(rng.below(3) == 0 ? 1 : 0);
  } while (eval::mean_stderr(scores) == eval::mean_stderr(reversed()));
  freeze({scores.size()});
  for (uint32_t i = 50; i-- > 0;) settle(i, scores[i] == 1);
  EXPECT_EQ(result().tasks(0).metrics(0).stderr(), *eval::mean_stderr(scores));
}

TEST_F(JobResultTest, SaysOfHowManyVotesItIs) {
  freeze({3, 3, 1});
  settle(0, true, 3);
  settle(1, true, 2);
  settle(2, true, 2);
  settle(3, true, 1);
  settle(4, true, 1);
  settle(5, true, 2);
  settle(6, true, 5);
  const pb::JobResult out = result();
  EXPECT_EQ(out.tasks(0).wanted_votes(), 2u);
  EXPECT_EQ(out.tasks(0).least_votes(), 2u);
  EXPECT_EQ(out.tasks(0).items_below(), 0);
  EXPECT_EQ(out.tasks(1).least_votes(), 1u);
  EXPECT_EQ(out.tasks(1).items_below(), 2);
  EXPECT_EQ(out.tasks(2).least_votes(), 5u);
}

TEST_F(JobResultTest, NamesTheClassesOfItsValuesInTheOrderOfTheRules) {
  freeze({2, 1});
  settle(0, true, 2, "A");
  settle(1, true, 2, "B");
  settle(2, true, 2, "A");
  const pb::JobResult out = result();
  ASSERT_EQ(out.tasks(0).numeric_classes_size(), 2);
  EXPECT_EQ(out.tasks(0).numeric_classes(0), "B");
  EXPECT_EQ(out.tasks(0).numeric_classes(1), "A");
  ASSERT_EQ(out.tasks(1).numeric_classes_size(), 1);
  EXPECT_EQ(out.tasks(1).numeric_classes(0), "A");
}

TEST_F(JobResultTest, NamesTheClassesOfAllAnswersTheModelAndTheTime) {
  freeze({1});
  for (const char* its_class : {"C", "A"}) {
    (void)items.vote(0, {its_class, its_class, sha256(its_class), its_class, answer(true)});
  }
  settle(0, true);
  row.mutable_model()->set_commit("commit");
  const pb::JobResult out = result();
  ASSERT_EQ(out.numeric_classes_size(), 2);
  EXPECT_EQ(out.numeric_classes(0), "A");
  EXPECT_EQ(out.numeric_classes(1), "C");
  EXPECT_EQ(out.model().commit(), "commit");
  EXPECT_EQ(out.seconds(), 12.5);
}

}  // namespace
}  // namespace muster::roles::coordinator
