#include "web/http/event_queue.h"

#include <utility>

namespace muster::web {

bool EventQueue::push(std::string_view event) {
  const std::lock_guard lock(mutex_);
  if (is_over_) return false;
  is_over_ = events_ + 1 > kMostEvents || text_.size() + event.size() > kMostBytes;
  if (!is_over_) {
    ++events_;
    text_ += event;
  }
  if (wake_) wake_();
  return !is_over_;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  is_over_ = true;
  if (wake_) wake_();
}

void EventQueue::on_news(std::function<void()> wake) {
  const std::lock_guard lock(mutex_);
  wake_ = std::move(wake);
  if (wake_ && (!text_.empty() || is_over_)) wake_();
}

EventQueue::Taken EventQueue::take() {
  const std::lock_guard lock(mutex_);
  events_ = 0;
  return {std::exchange(text_, {}), is_over_};
}

}  // namespace muster::web
