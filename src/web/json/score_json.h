#pragma once

#include <optional>

#include "base/json.h"
#include "web/board/board.h"

namespace muster::web {

Json interval_json(const std::optional<ScoreInterval>& interval);
// `of`: how many are ranked.
Json rank_json(const std::optional<eval::RankRange>& rank, int64_t of);
// A task's main metric is the one that `muster run` prints first.
Json score_json(const pb::TaskResult& task, int metric);
Json scores_json(const pb::TaskResult& task);
// Of each task the main one.
Json main_scores_json(const pb::JobResult& result);
// A finite number, or null.
Json finite(double value);

}  // namespace muster::web
