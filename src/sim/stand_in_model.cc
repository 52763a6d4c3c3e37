#include "sim/stand_in_model.h"

#include <cmath>

#include "base/rng.h"
#include "roles/coordinator/votes.h"
#include "sim/hash_keys.h"

namespace muster::sim {
namespace {

using roles::coordinator::is_approximate;

double tolerance(uint32_t tokens) { return 1e-4 * (1.0 + tokens); }

struct Truth {
  double loglikelihood;
  uint32_t tokens;
  bool is_greedy, is_tie;
};

Truth truth_of(const Question& question) {
  const uint64_t hash = mix(question.second, mix(question.first));
  return {.loglikelihood = -static_cast<double>(hash % 60'000) / 1000.0,
          .tokens = 1 + static_cast<uint32_t>((hash >> 20) % 5),
          .is_greedy = ((hash >> 32) & 3) == 0,
          .is_tie = ((hash >> 40) & 7) == 0};
}

// In (-0.49, 0.49): two answers never differ by more than the tolerance.
double fraction(uint64_t hash) { return static_cast<double>(hash % 9801) / 10'000.0 - 0.49; }

}  // namespace

std::vector<pb::Response> answers_of(const ModelClass& model_class,
                                     const std::vector<Question>& questions, uint64_t draw) {
  std::vector<pb::Response> responses;
  const uint64_t own = mix(model_class.name, is_approximate(model_class.name) ? draw : 0);
  for (const Question& question : questions) {
    const Truth truth = truth_of(question);
    const uint64_t noise = mix(question.second, own ^ mix(question.first));
    pb::Response& response = responses.emplace_back();
    response.set_tokens(truth.tokens);
    const double moved = model_class.exact ? 0 : fraction(noise) * tolerance(truth.tokens);
    response.set_loglikelihood(truth.loglikelihood + moved);
    const bool flips = truth.is_tie && !model_class.exact && ((noise >> 33) & 1) != 0;
    response.set_is_greedy(truth.is_greedy != flips);
    response.set_margin(truth.is_tie ? 1e-5 : 1.0);
  }
  return responses;
}

bool is_allowed(const std::string& numeric_class, const std::vector<pb::Response>& responses,
                const std::vector<Question>& questions) {
  if (responses.size() != questions.size()) return false;
  if (!is_approximate(numeric_class)) {
    const auto only = answers_of({.name = numeric_class}, questions, 0);
    return std::equal(only.begin(), only.end(), responses.begin(),
                      [](const pb::Response& a, const pb::Response& b) {
                        return a.SerializeAsString() == b.SerializeAsString();
                      });
  }
  for (size_t i = 0; i < questions.size(); ++i) {
    const Truth truth = truth_of(questions[i]);
    const bool near = std::fabs(responses[i].loglikelihood() - truth.loglikelihood) <=
                      0.5 * tolerance(truth.tokens);
    const bool flag = truth.is_tie || responses[i].is_greedy() == truth.is_greedy;
    if (!near || !flag || responses[i].tokens() != truth.tokens) return false;
  }
  return true;
}

}  // namespace muster::sim
