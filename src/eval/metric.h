#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "eval/item.h"
#include "eval/task.h"

namespace muster::eval {

// One item judged: 1 when the most likely choice is the right one, else 0. Ties go to the lowest
// index.
struct ItemScore {
  double acc = 0;
  double acc_norm = 0;  // Likelihood per code point of the choice; an empty choice never wins.
};

// `responses` has one entry per request of the item (checked).
ItemScore score_item(const Item& item, const std::vector<Response>& responses);

// Sum over count, in the order given; `values` is not empty (checked).
double mean(const std::vector<double>& values);

// Standard error of the mean from the sample variance (n - 1); none for a single value, which
// lm-eval prints as "N/A".
std::optional<double> mean_stderr(const std::vector<double>& values);

// A metric of a task over its items.
struct MetricValue {
  std::string name;  // As in the results file: "acc", "acc_norm_raw".
  double value = 0;
  std::optional<double> stderr_value;
};

// Their names, in the order of aggregate(); the first stands for the task.
const std::vector<std::string>& metric_names();

// acc and acc_norm over the items, in item order. tinyBenchmarks' own acc_norm is an estimate by
// item response theory; the plain mean is therefore called acc_norm_raw.
std::vector<MetricValue> aggregate(const std::vector<ItemScore>& scores);

}  // namespace muster::eval
