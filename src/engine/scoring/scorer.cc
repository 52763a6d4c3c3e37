#include "engine/scoring/scorer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "engine/scoring/whitespace.h"

namespace muster::engine {
namespace {

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

Result<std::vector<Score>> Scorer::score_group(std::span<const ScoreRequest> group,
                                               size_t first_index,
                                               const std::function<void()>& progress) {
  TokenTree tree;
  std::vector<Placed> placed;
  for (const ScoreRequest& request : group) {
    auto one = place(request, tree);
    if (!one) return fail(in_request(one.error(), first_index + placed.size()));
    placed.push_back(*std::move(one));
  }
  tree.finish();

  // Each row whose successor is scored, with who wants which token of it.
  struct Want {
    size_t request, position;
  };
  std::map<int64_t, std::vector<Want>> wanted;
  std::vector<std::vector<TokenScore>> tokens(group.size());
  for (size_t r = 0; r < placed.size(); ++r) {
    tokens[r].resize(placed[r].targets.size());
    for (size_t p = 0; p < placed[r].targets.size(); ++p) {
      const int64_t position = placed[r].first_position + static_cast<int64_t>(p);
      wanted[tree.row_of(placed[r].handle, position)].push_back({r, p});
    }
  }
  std::vector<int64_t> rows;
  std::vector<const std::vector<Want>*> wants;
  for (const auto& [row, want] : wanted) {
    rows.push_back(row);
    wants.push_back(&want);
  }
  const at::Tensor hidden = decoder_.hidden_states(tree, progress);
  decoder_.for_each_logits(
      hidden, rows, [&](int64_t index, const float* logits, const LogSumExp& lse) {
        for (const auto& [request, position] : *wants[static_cast<size_t>(index)]) {
          tokens[request][position] = token_score(logits, lse, placed[request].targets[position]);
        }
      });
  progress();

  std::vector<Score> scores;
  for (size_t r = 0; r < group.size(); ++r) {
    scores.push_back(sum_up(tokens[r]));
    if (!std::isfinite(scores.back().loglikelihood) || !std::isfinite(scores.back().margin)) {
      return fail(in_request({Code::kFailed, "the model gave a number that is not finite"},
                             first_index + r));
    }
  }
  return scores;
}

Result<std::vector<Score>> Scorer::score(std::span<const ScoreRequest> requests,
                                         const std::function<void()>& progress) {
  std::vector<Score> scores;
  for (size_t begin = 0; begin < requests.size();) {
    size_t end = begin + 1;
    while (end < requests.size() && requests[end].context == requests[begin].context) ++end;
    MUSTER_TRY(auto group, score_group(requests.subspan(begin, end - begin), begin, progress));
    scores.insert(scores.end(), group.begin(), group.end());
    begin = end;
  }
  return scores;
}

}  // namespace muster::engine
