#include "engine/scoring/scorer.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <map>
#include <mutex>

#include "engine/scoring/whitespace.h"

namespace muster::engine {
namespace {

constexpr int64_t kBytesAtOnce = int64_t{256} << 20;  // What all threads work with together.

// What one scored token saw.
struct TokenScore {
  double log_probability = 0;
  bool is_top = false;
  double margin = 0;  // Lead over the runner-up when it is the top, else its deficit.
};

TokenScore token_score(const float* logits, const LogSumExp& lse, TokenId token) {
  const float logit = logits[token];
  const bool top = lse.top_index == token;
  return {static_cast<double>(logit) - static_cast<double>(lse.value), top,
          static_cast<double>(lse.top) - static_cast<double>(top ? lse.second : logit)};
}

Score sum_up(const std::vector<TokenScore>& tokens) {
  Score score{.is_greedy = true, .tokens = static_cast<int64_t>(tokens.size())};
  double smallest_lead = std::numeric_limits<double>::infinity(), largest_deficit = 0;
  for (const TokenScore& token : tokens) {
    score.loglikelihood += token.log_probability;
    score.is_greedy &= token.is_top;
    if (token.is_top) {
      smallest_lead = std::min(smallest_lead, token.margin);
    } else {
      largest_deficit = std::max(largest_deficit, token.margin);
    }
  }
  score.margin = score.is_greedy ? smallest_lead : largest_deficit;
  return score;
}

Error in_request(const Error& error, size_t index) {
  return error.in("request " + std::to_string(index));
}

}  // namespace

// A request's sequence in the tree, and which of its tokens are scored from which position.
struct Scorer::Placed {
  int64_t handle;
  int64_t first_position;  // The position whose logits score targets[0].
  std::vector<TokenId> targets;
};

// Requests of one context, encoded.
struct Scorer::Group {
  size_t first_index = 0;
  TokenTree tree;
  std::vector<Placed> placed;
  int64_t targets = 0;
};

Result<Scorer> Scorer::load(const Path& model_directory) {
  MUSTER_TRY(auto decoder, Decoder::load(model_directory));
  MUSTER_TRY(auto tokenizer, Tokenizer::load(model_directory));
  return Scorer(std::move(decoder), std::move(tokenizer));
}

Digest Scorer::digest() const {
  Hasher both;
  both.add_field(decoder_.digest().view());
  both.add_field(tokenizer_.digest().view());
  return both.finish_sha256();
}

Result<Scorer::Encoded> Scorer::encode_without_context(const std::string& continuation) {
  MUSTER_TRY(auto ids, tokenizer_.encode(continuation, false));
  const TokenId prefix = tokenizer_.prefix_token();
  if (prefix < 0) {
    return fail(Code::kUnsupported,
                "an empty context needs a begin or end token, and the tokenizer names neither");
  }
  if (!ids.empty() && ids.front() == prefix) {
    return Encoded{{prefix}, {ids.begin() + 1, ids.end()}};
  }
  return Encoded{{prefix}, std::move(ids)};
}

Result<std::vector<TokenId>> Scorer::encode_context(const std::string& context) {
  if (context != last_context_ || last_context_ids_.empty()) {
    MUSTER_TRY(last_context_ids_, tokenizer_.encode(context, true));
    last_context_ = context;
  }
  return last_context_ids_;
}

Result<Scorer::Encoded> Scorer::encode(const ScoreRequest& request) {
  if (request.context.empty()) return encode_without_context(request.continuation);
  const size_t kept = length_without_trailing_space(request.context);
  const std::string context = request.context.substr(0, kept);
  MUSTER_TRY(auto whole, tokenizer_.encode(request.context + request.continuation, true));
  MUSTER_TRY(auto ids, encode_context(context));
  // Where a merge crosses the boundary this differs from `whole`; lm-eval does the same.
  const auto shared = static_cast<ptrdiff_t>(std::min(ids.size(), whole.size()));
  return Encoded{std::move(ids), {whole.begin() + shared, whole.end()}};
}

Result<Scorer::Placed> Scorer::place(const ScoreRequest& request, TokenTree& tree) {
  MUSTER_TRY(auto encoded, encode(request));
  const auto limit = static_cast<size_t>(decoder_.spec().max_positions);
  if (encoded.continuation.empty())
    return fail(Code::kUnsupported,
                request.continuation.empty()
                    ? "the continuation is empty"
                    : "the continuation adds no token: it merges into the last one of its context");
  if (encoded.context.empty()) {
    return fail(Code::kUnsupported, "the context is white space only, which makes no token");
  }
  if (encoded.continuation.size() > limit) {
    return fail(Code::kUnsupported, "the continuation has " +
                                        std::to_string(encoded.continuation.size()) +
                                        " tokens, the model sees " + std::to_string(limit));
  }
  std::vector<TokenId> sequence = std::move(encoded.context);
  sequence.insert(sequence.end(), encoded.continuation.begin(), encoded.continuation.end());
  if (sequence.size() > limit + 1)
    sequence.erase(sequence.begin(), sequence.end() - static_cast<ptrdiff_t>(limit) - 1);
  sequence.pop_back();
  const auto bad = std::find_if(sequence.begin(), sequence.end(),
                                [&](TokenId id) { return id >= decoder_.spec().vocabulary; });
  if (bad != sequence.end() || encoded.continuation.back() >= decoder_.spec().vocabulary) {
    return fail(Code::kDataLoss, "the tokenizer gives an id beyond the model's vocabulary");
  }
  const auto first = static_cast<int64_t>(sequence.size() - encoded.continuation.size());
  return Placed{tree.add(sequence), first, std::move(encoded.continuation)};
}

Result<Scorer::Group> Scorer::prepare(std::span<const ScoreRequest> requests, size_t first_index) {
  Group group{.first_index = first_index};
  for (const ScoreRequest& request : requests) {
    auto one = place(request, group.tree);
    if (!one) return fail(in_request(one.error(), first_index + group.placed.size()));
    group.targets += static_cast<int64_t>(one->targets.size());
    group.placed.push_back(*std::move(one));
  }
  group.tree.finish();
  return group;
}

Result<std::vector<Score>> Scorer::run(const Group& group,
                                       const std::function<void()>& progress) const {
  // Each row whose successor is scored, with who wants which token of it.
  struct Want {
    size_t request, position;
  };
  std::map<int64_t, std::vector<Want>> wanted;
  std::vector<std::vector<TokenScore>> tokens(group.placed.size());
  for (size_t r = 0; r < group.placed.size(); ++r) {
    const Placed& placed = group.placed[r];
    tokens[r].resize(placed.targets.size());
    for (size_t p = 0; p < placed.targets.size(); ++p) {
      const int64_t position = placed.first_position + static_cast<int64_t>(p);
      wanted[group.tree.row_of(placed.handle, position)].push_back({r, p});
    }
  }
  std::vector<int64_t> rows;
  std::vector<const std::vector<Want>*> wants;
  for (const auto& [row, want] : wanted) {
    rows.push_back(row);
    wants.push_back(&want);
  }
  const at::Tensor hidden = decoder_.hidden_states(group.tree, progress);
  decoder_.for_each_logits(
      hidden, rows, [&](int64_t index, const float* logits, const LogSumExp& lse) {
        for (const auto& [request, position] : *wants[static_cast<size_t>(index)]) {
          tokens[request][position] =
              token_score(logits, lse, group.placed[request].targets[position]);
        }
      });
  progress();

  std::vector<Score> scores;
  for (size_t r = 0; r < tokens.size(); ++r) {
    scores.push_back(sum_up(tokens[r]));
    if (!std::isfinite(scores.back().loglikelihood) || !std::isfinite(scores.back().margin)) {
      return fail(in_request({Code::kFailed, "the model gave a number that is not finite"},
                             group.first_index + r));
    }
  }
  return scores;
}

// How many groups, from the first on, are computed by one thread each: a round of all threads or
// several, if their memory allows it. On one group the threads meet after every product, and where
// the model is small or a core is taken, waiting is most of the time.
size_t Scorer::groups_apart(std::span<const Group> groups) const {
  const auto threads = static_cast<size_t>(at::get_num_threads());
  int64_t largest = 0;
  for (const Group& group : groups) {
    largest = std::max(largest, decoder_.working_bytes(group.tree.rows(), group.targets));
  }
  if (threads == 1 || largest > kBytesAtOnce / static_cast<int64_t>(threads)) return 0;
  return groups.size() / threads * threads;
}

Result<std::vector<Score>> Scorer::score(std::span<const ScoreRequest> requests,
                                         const std::function<void()>& progress) {
  std::vector<Group> groups;
  for (size_t begin = 0; begin < requests.size();) {
    size_t end = begin + 1;
    while (end < requests.size() && requests[end].context == requests[begin].context) ++end;
    MUSTER_TRY(auto group, prepare(requests.subspan(begin, end - begin), begin));
    groups.push_back(std::move(group));
    begin = end;
  }
  std::mutex one_at_a_time;
  const auto say = [&] {
    const std::lock_guard lock(one_at_a_time);
    progress();
  };
  std::vector<Result<std::vector<Score>>> results(groups.size());
  const size_t apart = groups_apart(groups);
  if (apart > 0) {
    std::atomic<size_t> next = 0;
    at::parallel_for(0, at::get_num_threads(), 1, [&](int64_t, int64_t) {
      for (size_t i = next++; i < apart; i = next++) results[i] = run(groups[i], say);
    });
  }
  for (size_t i = apart; i < groups.size(); ++i) results[i] = run(groups[i], say);
  std::vector<Score> scores;
  for (auto& result : results) {
    if (!result) return fail(result.error());
    scores.insert(scores.end(), result->begin(), result->end());
  }
  return scores;
}

}  // namespace muster::engine
