#include "eval/metric.h"

#include <cmath>
#include <limits>

#include "base/check.h"

namespace muster::eval {
namespace {

size_t arg_max(const std::vector<double>& values) {
  size_t best = 0;
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i] > values[best]) best = i;
  }
  return best;
}

MetricValue metric(std::string name, const std::vector<double>& values) {
  return {std::move(name), mean(values), mean_stderr(values)};
}

}  // namespace

ItemScore score_item(const Item& item, const std::vector<Response>& responses) {
  MUSTER_CHECK(responses.size() == item.requests.size());
  std::vector<double> plain, per_length;
  for (size_t i = 0; i < responses.size(); ++i) {
    const auto length = static_cast<double>(item.lengths[i]);
    plain.push_back(responses[i].loglikelihood);
    per_length.push_back(length > 0 ? plain[i] / length : -std::numeric_limits<double>::infinity());
  }
  const auto gold = static_cast<size_t>(item.gold);
  return {arg_max(plain) == gold ? 1.0 : 0.0, arg_max(per_length) == gold ? 1.0 : 0.0};
}

double mean(const std::vector<double>& values) {
  MUSTER_CHECK(!values.empty());
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

std::optional<double> mean_stderr(const std::vector<double>& values) {
  if (values.size() < 2) return std::nullopt;
  const double centre = mean(values);
  double squares = 0;
  for (double value : values) squares += (value - centre) * (value - centre);
  const auto n = static_cast<double>(values.size());
  return std::sqrt(squares / (n - 1)) / std::sqrt(n);
}

std::vector<MetricValue> aggregate(const std::vector<ItemScore>& scores) {
  std::vector<double> acc, acc_norm;
  for (const ItemScore& score : scores) {
    acc.push_back(score.acc);
    acc_norm.push_back(score.acc_norm);
  }
  return {metric(metric_names()[0], acc), metric(metric_names()[1], acc_norm)};
}

const std::vector<std::string>& metric_names() {
  static const std::vector<std::string> names{"acc", "acc_norm_raw"};
  return names;
}

}  // namespace muster::eval
