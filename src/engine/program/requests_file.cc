#include "engine/program/requests_file.h"

#include <ATen/Parallel.h>
#include <unistd.h>

#include <cstdio>

#include "base/json.h"
#include "base/printable.h"
#include "engine/cores/core_share.h"
#include "engine/program/numeric_class.h"

namespace muster::engine {
namespace {

constexpr size_t kMaxRequestsBytes = size_t{4} << 30;
constexpr size_t kMaxLineBytes = 16u << 20;
constexpr int kBatch = 32;  // Requests a thread between two lines of progress.
constexpr int64_t kWorkingBytes = int64_t{512} << 20;

Result<std::vector<ScoreRequest>> read_requests(const Path& path) {
  MUSTER_TRY(const auto input, read_input(path, kMaxRequestsBytes));
  std::vector<ScoreRequest> requests;
  std::string_view rest = input;
  for (size_t number = 1; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;  // Blank.
    auto request = parse_request(line);
    if (!request) return fail(request.error().in(path.string() + ":" + std::to_string(number)));
    requests.push_back(*std::move(request));
  }
  return requests;
}

Json to_json(const Score& score) {
  return {{"loglikelihood", score.loglikelihood},
          {"is_greedy", score.is_greedy},
          {"tokens", score.tokens},
          {"margin", score.margin}};
}

void show_progress(size_t done, size_t total) {
  if (::isatty(STDERR_FILENO) == 0) return;
  std::fprintf(stderr, "\r%zu of %zu requests%s", done, total, done == total ? "\n" : "");
}

// The end of the batch that begins at `begin`: never between two requests of one context. No bits
// depend on it.
size_t batch_end(const std::vector<ScoreRequest>& requests, size_t begin, int threads) {
  size_t end = std::min(requests.size(), begin + static_cast<size_t>(kBatch * threads));
  while (end < requests.size() && requests[end].context == requests[end - 1].context) ++end;
  return end;
}

}  // namespace

Result<ScoreRequest> parse_request(std::string_view line) {
  MUSTER_TRY(const Json object, parse_json(line, kMaxLineBytes));
  ScoreRequest request;
  MUSTER_TRY(request.context, get_string(object, "context"));
  MUSTER_TRY(request.continuation, get_string(object, "continuation"));
  return request;
}

Status score_file(const Path& model, const Path& requests_path, const Path& output, int threads) {
  MUSTER_TRY(const auto requests, read_requests(requests_path));
  MUSTER_TRY(auto scorer, Scorer::load(model));
  for (const std::string& note : scorer.decoder().notes()) {
    std::fprintf(stderr, "muster-engine: note: %s\n", printable(note, 1000).c_str());
  }
  std::string lines;
  CoreShare share(threads);
  for (size_t begin = 0; begin < requests.size();) {
    const int now = share.begin();
    at::set_num_threads(now);
    const size_t end = batch_end(requests, begin, now);
    auto scores = scorer.score(std::span(requests).subspan(begin, end - begin), [] {});
    if (!scores) return fail(scores.error().in("from line " + std::to_string(begin + 1)));
    for (const Score& score : *scores) lines += to_json(score).dump() + "\n";
    begin = end;
    show_progress(begin, requests.size());
  }
  return write_output(output, lines);
}

Result<Json> describe_model(const Path& model) {
  MUSTER_TRY(const DecoderSpec spec, read_decoder_spec(model));
  MUSTER_TRY(const auto weights, Checkpoint::open(model));
  MUSTER_TRY(const auto tokenizer, Tokenizer::load(model));  // What cannot be scored has no info.
  return Json{{"architecture", spec.family},
              {"parameters", spec.parameters()},
              {"layers", spec.layers},
              {"hidden", spec.hidden},
              {"heads", spec.heads},
              {"kv_heads", spec.kv_heads},
              {"vocabulary", spec.vocabulary},
              {"max_length", spec.max_positions},
              {"tensors", weights.tensors().size()},
              {"dtype", "float32"},
              {"threads", CoreShare(0).begin()},
              {"numeric_class", numeric_class()},
              {"approximate", true},
              {"memory_bytes", spec.parameters() * 4 + kWorkingBytes}};
}

}  // namespace muster::engine
