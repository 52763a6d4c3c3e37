#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/printable.h"
#include "cli/terminal.h"

namespace muster::cli {
namespace {

constexpr size_t kMostWords = 1000;  // Bytes of a line.
constexpr int64_t kBarWidth = 30;
constexpr size_t kLeastColumns = 20;  // To draw in.
constexpr auto kLineEvery = std::chrono::seconds(5);

std::string duration_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 90) return std::to_string(whole) + " s";
  return std::to_string((whole + 30) / 60) + " min";
}

// A line that wraps could not be drawn over.
std::string fitting(const std::string& text, size_t columns) {
  return cut_to_columns(printable(text, kMostWords), columns - 1);
}

}  // namespace

ProgressView::ProgressView() : terminal_(::isatty(STDERR_FILENO) == 1 && !is_plain_terminal()) {}

std::string ProgressView::rate(const pb::JobRow& row) const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - first_at_;
  const auto done = static_cast<double>(row.settled_items() - first_settled_);
  if (done <= 0 || passed.count() <= 0) return "";
  const double per_second = done / passed.count();
  char text[96];
  const auto left = static_cast<double>(row.total_items() - row.settled_items());
  std::snprintf(text, sizeof text, "  %.2f items/s, about %s left", per_second,
                duration_text(left / per_second).c_str());
  return text;
}

std::string ProgressView::bar(const pb::JobRow& row) const {
  const int64_t total = std::max<int64_t>(1, row.total_items());
  const int64_t settled = std::clamp<int64_t>(row.settled_items(), 0, total);
  const auto filled =
      static_cast<int64_t>(kBarWidth * static_cast<double>(settled) / static_cast<double>(total));
  return "[" + std::string(static_cast<size_t>(filled), '#') +
         std::string(static_cast<size_t>(kBarWidth - filled), '.') + "] " +
         std::to_string(row.settled_items()) + "/" + std::to_string(row.total_items()) + rate(row);
}

void ProgressView::show(const pb::JobRow& row) {
  const auto now = std::chrono::steady_clock::now();
  if (first_settled_ < 0 && row.total_items() > 0) {
    first_settled_ = row.settled_items();
    first_at_ = now;
  }
  const std::string reason =
      row.reason().empty() ? "" : "  waiting: " + printable(row.reason(), kMostWords);
  const size_t columns = terminal_ ? terminal_columns() : 0;
  if (columns >= kLeastColumns) {
    std::fprintf(stderr, "\r\033[K%s", fitting(bar(row) + reason, columns).c_str());
    std::fflush(stderr);
    drawn_ = true;
    return;
  }
  const bool moved = row.settled_items() != last_settled_;
  const bool due = (moved && now - last_line_ > kLineEvery) || reason != last_reason_;
  if (!due || row.total_items() == 0) return;
  std::fprintf(stderr, "%ld of %ld items settled%s%s\n", static_cast<long>(row.settled_items()),
               static_cast<long>(row.total_items()), rate(row).c_str(), reason.c_str());
  last_settled_ = row.settled_items();
  last_line_ = now;
  last_reason_ = reason;
}

void ProgressView::say(const std::string& text) {
  clear();
  std::fprintf(stderr, "%s\n", printable(text, kMostWords).c_str());
}

void ProgressView::clear() {
  if (drawn_) std::fprintf(stderr, "\r\033[K");
  drawn_ = false;
}

}  // namespace muster::cli
