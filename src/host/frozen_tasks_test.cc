// A job's request becomes the items of its tasks, in order; what cannot be asked is refused by
// name.
#include "host/frozen_tasks.h"

#include <gtest/gtest.h>

#include "eval/item.h"

namespace muster::host {
namespace {

pb::JobRequest asking_for(const std::vector<std::string>& tasks) {
  pb::JobRequest request;
  for (const std::string& task : tasks) request.add_tasks(task);
  request.set_limit(3);
  return request;
}

TEST(FrozenTasks, AreTheFirstItemsOfEachTask) {
  const auto tasks = freeze_tasks(asking_for({"tinyMMLU", "tinyHellaswag"}));
  ASSERT_TRUE(tasks);
  ASSERT_EQ((*tasks)->size(), 2u);
  EXPECT_EQ((**tasks)[0].task, "tinyMMLU");
  EXPECT_EQ((**tasks)[1].task, "tinyHellaswag");
  for (const roles::FrozenTask& task : **tasks) {
    EXPECT_EQ(task.documents, 100) << "before the limit";
    EXPECT_EQ(task.items.size(), 3u);
    for (const eval::Item& item : task.items) EXPECT_EQ(item.requests.size(), 4u);
  }
}

TEST(FrozenTasks, WhatThereIsNotIsRefused) {
  EXPECT_EQ(freeze_tasks(asking_for({"tinyMMLU", "tinyGolf"})).error().code, Code::kUnsupported);
  pb::JobRequest request = asking_for({"tinyHellaswag"});
  request.set_num_fewshot(10);
  EXPECT_EQ(freeze_tasks(request).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace muster::host
