#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/model/decoder.h"
#include "engine/tokenizer/tokenizer.h"

namespace muster::engine {

struct ScoreRequest {
  std::string context, continuation;  // UTF-8. The context may be empty, the continuation not.
};

struct Score {
  double loglikelihood = 0;  // Natural log of P(continuation | context), summed over its tokens.
  bool is_greedy = false;    // Every continuation token is the arg-max at its place.
  int64_t tokens = 0;        // Of the continuation.
  // How far the logits are from changing is_greedy, in logits, >= 0: when it is true, the smallest
  // lead of an arg-max over its runner-up; when false, the largest deficit of a token (all of which
  // would have to vanish).
  double margin = 0;
};

// Scores requests as lm-eval's HFLM does (docs/scoring.md). Requests that follow one another with
// the same context share its computation, and are one group: how a list is cut into calls between
// groups does not change any bits. Where there are enough groups each thread computes one of its
// own, else all share the work on one: under MKL_CBWR the bits are the same.
class Scorer {
 public:
  static Result<Scorer> load(const Path& model_directory);

  // One Score per request, in order, on at::get_num_threads() threads. `progress` is called at
  // least once a layer, from any of them, but never by two at a time. Nothing is returned when one
  // request cannot be scored; the error names it by its index from 0.
  Result<std::vector<Score>> score(std::span<const ScoreRequest> requests,
                                   const std::function<void()>& progress);

  // Of all that the scores come from: weights, tokenizer and config.json. Costs what
  // Decoder::digest() does.
  [[nodiscard]] Digest digest() const;

  [[nodiscard]] const Decoder& decoder() const { return decoder_; }

 private:
  struct Encoded {
    std::vector<TokenId> context, continuation;
  };
  struct Placed;
  struct Group;
  Scorer(Decoder decoder, Tokenizer tokenizer)
      : decoder_(std::move(decoder)), tokenizer_(std::move(tokenizer)) {}
  Result<Encoded> encode(const ScoreRequest& request);
  Result<Encoded> encode_without_context(const std::string& continuation);
  Result<std::vector<TokenId>> encode_context(const std::string& context);
  Result<Placed> place(const ScoreRequest& request, TokenTree& tree);
  Result<Group> prepare(std::span<const ScoreRequest> requests, size_t first_index);
  Result<std::vector<Score>> run(const Group& group, const std::function<void()>& progress) const;
  [[nodiscard]] size_t groups_apart(std::span<const Group> groups) const;

  Decoder decoder_;
  Tokenizer tokenizer_;
  std::string last_context_;  // Choices share their context: it is encoded once.
  std::vector<TokenId> last_context_ids_;
};

}  // namespace muster::engine
