#pragma once

#include <cstddef>
#include <string>

namespace muster::cli {

// Whether whoever started this wants no colours and no drawing: NO_COLOR is set (no-color.org), or
// the terminal says that it can do nothing (TERM is "dumb" or not set).
bool is_plain_terminal();

// The width of the terminal on stderr; 0: there is none, or it does not say.
size_t terminal_columns();

// As much of one line of text as has room in so many columns, cut between characters; East Asian
// characters are taken for two columns wide.
std::string cut_to_columns(const std::string& text, size_t columns);

}  // namespace muster::cli
