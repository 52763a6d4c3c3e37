#include "roles/feed_reader.h"

#include "wire/envelope.h"

namespace muster::roles {

void FeedReader::advance(const pb::Feed& feed) {
  cursor_ = feed.next();
  caught_up_ |= feed.at_end();
  due_ = {};
}

pb::Subscribe* FeedReader::ask(Instant now, const std::string& store, const RunKey& run,
                               Effects& effects) {
  if (due_ > now) {
    effects.wake_by(due_);
    return nullptr;
  }
  due_ = now + kRepeatEvery;
  effects.wake_by(due_);
  effects.send.push_back({envelope_to(address(pb::ROLE_STORAGE, store))});
  pb::Subscribe* question = effects.send.back().envelope.mutable_subscribe();
  question->set_job(run.job);
  question->set_run(run.run);
  question->set_cursor(cursor_);
  return question;
}

}  // namespace muster::roles
