#include "engine/program/serve.h"

#include <ATen/Parallel.h>

#include <chrono>
#include <optional>

#include "base/frame.h"
#include "base/printable.h"
#include "engine/cores/core_share.h"
#include "engine/program/numeric_class.h"
#include "engine/scoring/scorer.h"

namespace muster::engine {
namespace {

constexpr size_t kMostWords = 2000;  // Bytes of a message: it may quote a file.
constexpr auto kProgressEvery = std::chrono::milliseconds(200);

Json error_message(const char* what, int64_t id, const Error& error) {
  return Json{{"type", what},
              {"id", id},
              {"code", std::string(to_string(error.code))},
              {"message", printable(error.message, kMostWords)}};
}

Result<std::vector<ScoreRequest>> read_requests(const Json& message) {
  std::vector<ScoreRequest> requests;
  for (const Json& pair : get_or_null(message, "requests")) {
    const bool two =
        pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_string();
    if (!two) return fail(Code::kDataLoss, "a request must be [context, continuation]");
    requests.push_back({pair[0].get<std::string>(), pair[1].get<std::string>()});
  }
  return requests;
}

class Session {
 public:
  explicit Session(int fd) : fd_(fd) {}

  Status answer(const Json& message) {
    MUSTER_TRY(const auto type, get_string(message, "type"));
    MUSTER_TRY(const auto id, get_int(message, "id"));
    if (type == "load") return load(id, message);
    if (type == "score") return score(id, message);
    return fail(Code::kDataLoss, "unknown message '" + type + "'");
  }

 private:
  Status load(int64_t id, const Json& message) {
    MUSTER_TRY(const auto model, get_string(message, "model"));
    MUSTER_TRY(const auto threads, get_int(message, "threads"));
    share_.emplace(static_cast<int>(threads));
    scorer_.reset();  // Before the next one is loaded: two may not fit.
    auto scorer = Scorer::load(model);
    if (!scorer) return write_frame(fd_, error_message("failed", id, scorer.error()));
    scorer_ = *std::move(scorer);
    at::set_num_threads(share_->begin());
    digest_ = scorer_->digest().hex();
    share_->end();
    return write_frame(fd_, Json{{"type", "ready"},
                                 {"id", id},
                                 {"numeric_class", numeric_class()},
                                 {"parameters", scorer_->decoder().spec().parameters()}});
  }

  Status score(int64_t id, const Json& message) {
    MUSTER_TRY(const auto requests, read_requests(message));
    if (!scorer_) return fail(Code::kDataLoss, "score before load");
    at::set_num_threads(share_->begin());
    auto scores = scorer_->score(requests, [this, id] { report_progress(id); });
    share_->end();
    if (!scores) return write_frame(fd_, error_message("failed", id, scores.error()));
    Json results = Json::array();
    for (const Score& s : *scores) {
      results.push_back(Json::array({s.loglikelihood, s.is_greedy, s.tokens, s.margin}));
    }
    return write_frame(fd_, Json{{"type", "scores"},
                                 {"id", id},
                                 {"model_digest", digest_},
                                 {"results", std::move(results)}});
  }

  void report_progress(int64_t id) {
    const auto now = std::chrono::steady_clock::now();
    if (now - reported_ < kProgressEvery) return;
    reported_ = now;
    // A worker that is gone is noticed at the next read.
    (void)write_frame(fd_, Json{{"type", "progress"}, {"id", id}});
  }

  int fd_;
  std::optional<CoreShare> share_;
  std::optional<Scorer> scorer_;
  std::string digest_;  // The scorer's, in hex.
  std::chrono::steady_clock::time_point reported_{};
};

}  // namespace

Status serve(int fd) {
  Session session(fd);
  while (true) {
    MUSTER_TRY(const auto message, read_frame(fd));
    if (!message) return {};
    MUSTER_TRY_STATUS(session.answer(*message));
  }
}

}  // namespace muster::engine
