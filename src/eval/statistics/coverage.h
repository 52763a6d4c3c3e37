#pragma once

namespace muster::eval {

// How often an interval is to hold the true value: a share between 0 and 1, and the standard normal
// quantile z for which -z to z has that share.
struct Coverage {
  double share, z;
};

// What is printed, and the thick line within it.
inline constexpr Coverage kCoverage95{0.95, 1.959963984540054};
inline constexpr Coverage kCoverage50{0.5, 0.6744897501960817};

}  // namespace muster::eval
