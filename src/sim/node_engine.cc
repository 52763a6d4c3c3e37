#include "sim/node_engine.h"

#include <algorithm>
#include <utility>

#include "base/digest.h"
#include "base/probe.h"
#include "sim/process.h"

namespace muster::sim {
namespace {

constexpr const char* kNobodyHas = "ORG/nobody-has";  // A model that is on no machine.

}  // namespace

void NodeEngine::load(pb::Role owner, const roles::LoadModel& load) {
  Result<std::string> outcome = node_.engine.model_class.name;
  if (node_.engine.missing_model) outcome = fail(Code::kNotFound, "model not here");
  if (node_.engine.objects_to_model) outcome = fail(Code::kUnsupported, "model_type is not known");
  if (load.model.name().starts_with(kNobodyHas)) outcome = fail(Code::kNotFound, "model not here");
  model_ = load.model;
  later(node_.engine.loading, owner, roles::ModelLoaded{load.model.commit(), outcome});
}

void NodeEngine::score(pb::Role owner, const roles::ScoreItem& item) {
  const uint64_t scoring = ++scoring_;
  Duration takes = node_.engine.per_item;
  if (takes == Duration()) return;
  takes += std::max(Duration(0), ready_at_ - world_.now());
  under_way_ = true;
  if (const auto jitter = static_cast<uint64_t>(node_.engine.jitter.count()); jitter > 0) {
    takes += Duration(static_cast<int64_t>(world_.rng.below(jitter)));
  }
  for (Duration passed = seconds(1); passed < takes; passed += seconds(1)) {
    while_scoring(scoring, passed, owner, roles::Scoring{item.id});
  }
  while_scoring(scoring, takes, owner, roles::ItemScored{item.id, outcome(item)});
}

void NodeEngine::stop_scoring() {
  ++scoring_;
  // A child that loads is not killed.
  if (std::exchange(under_way_, false) && world_.now() >= ready_at_) begin_child();
}

// The child has ended; another one begins to load at once.
void NodeEngine::begin_child() {
  if (!node_.engine.reloads) return;
  MUSTER_PROBE("an engine loads again");
  ready_at_ = world_.now() + node_.engine.loading;
}

// Questions of the simulator's jobs begin with the model's name: another model says something
// else.
bool NodeEngine::is_another_model(const std::string& context) const {
  return context.starts_with("ORG/") && !context.starts_with(model_.name());
}

// In hex, as an engine says it: of the model that it was told to load, and of its own copy of it.
std::string NodeEngine::model_digest() const {
  const bool has_others = node_.engine.lie == kOtherWeights;
  return sha256(model_.name() + model_.commit() + (has_others ? node_.name : "")).hex();
}

Result<roles::Scores> NodeEngine::outcome(const roles::ScoreItem& item) {
  under_way_ = false;
  if (item.requests.empty()) return roles::Scores{{}, model_digest()};
  const auto& [first_context, first_continuation] = item.requests.front();
  const uint64_t question = mix(first_continuation, mix(first_context));
  const bool crashes =
      node_.engine.crashes_on_some && node_.engine.lie.empty() && question % 32 == 1;
  if (node_.engine.failing || crashes) {
    begin_child();
    return fail(Code::kFailed, "the engine crashed");
  }
  if (node_.engine.objects_to_items && question % 2 == 0) {
    return fail(Code::kUnsupported, "the request is longer than the model's context");
  }
  auto responses = answers_of(node_.engine.model_class, item.requests, world_.rng.next());
  if (!node_.engine.lie.empty() && node_.engine.lie != kOtherWeights) {
    const uint64_t hash = mix(node_.engine.lie, question);
    const double lie = 1.0 + static_cast<double>(hash % (1u << 30)) / 1024.0;
    responses[0].set_loglikelihood(responses[0].loglikelihood() - lie);
  }
  if (is_another_model(first_context)) {
    MUSTER_PROBE("a machine answers with another model");
    responses[0].set_loglikelihood(responses[0].loglikelihood() - 3);
  }
  return roles::Scores{std::move(responses), model_digest()};
}

void NodeEngine::while_scoring(uint64_t scoring, Duration delay, pb::Role owner,
                               roles::Event event) {
  world_.in_process_after(node_, delay,
                          [this, scoring, owner, event = std::move(event)](Process& process) {
                            if (scoring == scoring_)
                              process.driver().deliver(node_.local(world_.now()), owner, event);
                          });
}

void NodeEngine::later(Duration delay, pb::Role owner, roles::Event event) {
  world_.in_process_after(node_, delay, [this, owner, event = std::move(event)](Process& process) {
    process.driver().deliver(node_.local(world_.now()), owner, event);
  });
}

}  // namespace muster::sim
