#include "io/database/reach.h"

#include <algorithm>

namespace muster::io {
namespace {

constexpr std::chrono::milliseconds kFirst{100};
constexpr std::chrono::seconds kMost{5};

}  // namespace

Status Reach::try_now() {
  if (is_there_) return {};
  if (Clock::now() >= next_) {
    const Status opened = connection_.open();
    if (opened) {
      news_("the database is back");
      is_there_ = true;
      return {};
    }
    why_ = opened.error().message;
    pause_ = std::clamp<Clock::duration>(pause_ * 2, kFirst, kMost);
    next_ = Clock::now() + pause_;
  }
  return fail(Code::kUnavailable, "the database is away: " + why_);
}

void Reach::lose(const std::exception& error) {
  if (!is_there_) return;
  is_there_ = false;
  why_ = reason_of(error);
  pause_ = {};
  next_ = Clock::now();
  news_("the database is away; what is running goes on, new jobs are refused until it is back: " +
        why_);
}

}  // namespace muster::io
