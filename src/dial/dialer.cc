#include "dial/dialer.h"

namespace muster::dial {

std::optional<Error> Dialer::trouble() const {
  std::lock_guard lock(mutex_);
  return trouble_;
}

// That the proxy is not asked again yet.
std::optional<Error> Dialer::refusal() const {
  std::lock_guard lock(mutex_);
  const bool is_refused = trouble_ && trouble_->code == Code::kPermission;
  const bool is_fresh = Patience::Clock::now() - troubled_at_ < pause_;
  return is_refused && is_fresh ? trouble_ : std::nullopt;
}

Result<Descriptor> Dialer::dial(const Patience& patience) {
  if (auto refused = refusal()) return fail(*std::move(refused));
  auto socket = dial::dial(route_, patience);
  if (!socket && socket.error().code == Code::kInterrupted) return socket;
  std::lock_guard lock(mutex_);
  trouble_ = socket ? std::nullopt : std::optional(socket.error());
  troubled_at_ = Patience::Clock::now();
  return socket;
}

}  // namespace muster::dial
