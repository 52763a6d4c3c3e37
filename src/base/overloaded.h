#pragma once

namespace muster {

// A visitor made of one function an alternative: std::visit then does not compile until each has
// one, so that a new alternative lists all places that have to decide.
template <typename... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};
// clang 14 does not find this by itself.
template <typename... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

template <typename Alternative>
struct IgnoresOne {
  void operator()(const Alternative&) const {}
};
// Those that a visitor takes no notice of, by name.
template <typename... Alternatives>
struct Ignores : IgnoresOne<Alternatives>... {
  using IgnoresOne<Alternatives>::operator()...;
};

}  // namespace muster
