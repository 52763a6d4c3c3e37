#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "roles/role.h"
#include "wire/run_key.h"

namespace muster::roles {

// Reads what a store has of one run, from its beginning on: asks for the batch after the cursor,
// again every kRepeatEvery until it comes, and then for the next. Messages may be lost, repeated
// and overtaken; a batch counts once, in order.
class FeedReader {
 public:
  FeedReader() = default;
  // `since` is the view with which the reading began: an answer to a question of an earlier one is
  // of an earlier stay of the store there.
  explicit FeedReader(uint64_t since) : since_(since) {}

  // Whether the batch is the one after the cursor.
  [[nodiscard]] bool is_next(const pb::Feed& feed) const {
    return feed.from() == cursor_ && feed.view() >= since_;
  }
  // It was taken in: the next is due at once.
  void advance(const pb::Feed& feed);
  // Appends the question when it is due, and returns it for what else it is to say; null: it is
  // not. Stands until `effects` changes.
  pb::Subscribe* ask(Instant now, const std::string& store, const RunKey& run, Effects& effects);

  // Some batch was the last that there was.
  [[nodiscard]] bool caught_up() const { return caught_up_; }
  [[nodiscard]] uint64_t since() const { return since_; }

 private:
  uint64_t since_ = 0, cursor_ = 0;
  bool caught_up_ = false;
  Instant due_{};
};

}  // namespace muster::roles
