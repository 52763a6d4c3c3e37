#pragma once

#include <string>
#include <string_view>
#include <vector>

// What every target has, one a file. Two programs are made of each: with clang (the preset `fuzz`)
// libFuzzer looks for inputs by coverage, for as long as one likes; under the sanitizers' preset
// the same file runs its seeds and a fixed number of mutations, the same ones each time.
namespace muster::fuzz {

// Takes one input. A crash is a finding, and so is a MUSTER_CHECK that fails: what was accepted
// does not hold what the target's file says.
void run(std::string_view input);

// Inputs to begin with, made here and not kept: what is valid, and what is nearly so.
std::vector<std::string> seeds();

// What valid inputs are made of; mutations put such words in.
std::vector<std::string> words();

}  // namespace muster::fuzz
