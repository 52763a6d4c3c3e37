#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>

namespace muster::cli {

// Checks of flags: what they refuse is told in a sentence, with exit code 2, before anything
// connects.

// A number within [least, most]; "nan" and "inf" are none, which CLI11's own Range lets pass.
CLI::Validator number_between(double least, double most);

// One line of UTF-8 of up to `most_bytes`, without anything that a terminal acts on.
CLI::Validator line_of_text(size_t most_bytes);

// HOST, HOST:PORT or an IPv6 address (base/address.h).
CLI::Validator host_with_port();
// The same without a port.
CLI::Validator host_alone();

// A proxy, or "none" (dial/proxy_rules.h).
CLI::Validator proxy_or_none();

constexpr size_t kMostNameBytes = 64;     // Whose machine it is, who asks; an id.
constexpr size_t kMostModelBytes = 1000;  // A model's name or path.

}  // namespace muster::cli
