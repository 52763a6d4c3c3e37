#pragma once

#include <chrono>
#include <mutex>
#include <optional>

#include "dial/dial.h"

namespace muster::dial {

// Dials one route again and again, and remembers how it went. A proxy that does not let this user,
// or this connection, through (kPermission) is left alone for a while, in which the same is said
// without it: a password that is repeated every few seconds locks its user out. Thread-safe.
class Dialer {
 public:
  static constexpr std::chrono::seconds kPause{60};

  explicit Dialer(Route route, Patience::Clock::duration pause = kPause)
      : route_(std::move(route)), pause_(pause) {}

  [[nodiscard]] const Route& route() const { return route_; }
  // As dial::dial().
  Result<Descriptor> dial(const Patience& patience);
  // Why the last attempt came to nothing; none: it did not.
  [[nodiscard]] std::optional<Error> trouble() const;

 private:
  [[nodiscard]] std::optional<Error> refusal() const;

  const Route route_;
  const Patience::Clock::duration pause_;
  mutable std::mutex mutex_;  // Guards what follows.
  std::optional<Error> trouble_;
  Patience::Clock::time_point troubled_at_;
};

}  // namespace muster::dial
