// A target without libFuzzer: its seeds, and a fixed number of mutations of them.
//   fuzz_NAME --runs N [--seed N]    the same inputs each time
//   fuzz_NAME FILE...                these inputs
// An input that ends the process is left in the folder as NAME.finding, to be run alone.
#include <fcntl.h>
#include <sanitizer/common_interface_defs.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "mutations.h"
#include "target.h"

namespace {

std::string finding;       // Where the input goes that ends the process.
std::string_view in_hand;  // The input that is being run.

void keep_input() {
  const int file = ::open(finding.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
  const bool kept = file >= 0 && ::write(file, in_hand.data(), in_hand.size()) >= 0;
  if (kept) std::fprintf(stderr, "the input is in %s\n", finding.c_str());
}

void on_abort(int) {  // Of a MUSTER_CHECK, or of an exception that nobody caught.
  keep_input();
  std::signal(SIGABRT, SIG_DFL);
  std::abort();
}

void run(std::string_view input) {
  in_hand = input;
  muster::fuzz::run(input);
}

int run_files(int count, char** names) {
  for (int i = 0; i < count; ++i) {
    std::ifstream file(names[i], std::ios::binary);
    if (!file) return std::fprintf(stderr, "%s: no such file\n", names[i]), 2;
    const std::string input{std::istreambuf_iterator<char>(file), {}};
    run(input);
  }
  return 0;
}

int run_mutations(uint64_t runs, uint64_t seed) {
  const auto seeds = muster::fuzz::seeds();
  muster::fuzz::Mutations mutations(seeds, muster::fuzz::words(), muster::Rng(seed));
  for (const std::string& input : seeds) run(input);
  for (uint64_t i = 0; i < runs; ++i) run(mutations.next());
  std::printf("%zu seeds, %llu mutations: nothing found\n", seeds.size(),
              static_cast<unsigned long long>(runs));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  finding = std::string(argv[0]) + ".finding";
  std::signal(SIGABRT, on_abort);
  __sanitizer_set_death_callback(keep_input);
  const bool fixed = (argc == 3 || argc == 5) && std::string_view(argv[1]) == "--runs";
  if (!fixed) return run_files(argc - 1, argv + 1);
  return run_mutations(std::strtoull(argv[2], nullptr, 10),
                       argc == 5 ? std::strtoull(argv[4], nullptr, 10) : 1);
}
