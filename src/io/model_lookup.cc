#include "io/model_lookup.h"

#include "base/guarded.h"
#include "base/printable.h"

namespace muster::io {
namespace {

constexpr size_t kMostWords = 2000;  // Bytes of an error that goes on to the pool.
constexpr char kBusy[] = "the Hub is slow to answer about other models; try again";

}  // namespace

ModelLookup::ModelLookup(host::Inbox& inbox, HubSettings settings)
    : inbox_(inbox), hub_(std::move(settings)) {
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { run(); });
}

ModelLookup::~ModelLookup() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ModelLookup::pin(pb::Role owner, const roles::PinModel& pin) {
  {
    std::lock_guard lock(mutex_);
    if (work_.size() < kMostWaiting) {
      work_.push_back({owner, pin, std::chrono::steady_clock::now()});
      return wake_.notify_one();
    }
  }
  inbox_.post(owner, roles::ModelPinned{pin.call, fail(Code::kTryLater, kBusy)});
}

void ModelLookup::run() {
  while (true) {
    Work work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopped_ || !work_.empty(); });
      if (stopped_) return;
      work = std::move(work_.front());
      work_.pop_front();
    }
    inbox_.post(work.owner, roles::ModelPinned{work.pin.call, look_up(work)});
  }
}

Result<pb::ModelPin> ModelLookup::look_up(const Work& work) {
  const auto waited = std::chrono::steady_clock::now() - work.asked;
  if (waited > kLongestWait) return fail(Code::kTryLater, kBusy);
  auto pin = guarded([&] { return hub_.pin(work.pin.model, [this] { return stopped_.load(); }); });
  if (!pin) pin.error().message = printable(pin.error().message, kMostWords);
  return pin;
}

}  // namespace muster::io
