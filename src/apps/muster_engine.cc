// muster-engine: sets what the libraries of the engine read before any main, and becomes the
// program that has them, muster-engine-torch beside it. What the user has set, stays.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int kNotThere = 74;

struct Variable {
  const char *name, *value;
};

constexpr Variable kVariables[] = {
    // MKL picks its code path by the shape of a product unless told to stay on one.
    {"MKL_CBWR", "AVX2"},
    // A thread that waits at a barrier gives its core away: the one it waits for may have none,
    // where others work on this machine too.
    {"OMP_WAIT_POLICY", "passive"},
    {"GOMP_SPINCOUNT", "0"},
};

}  // namespace

int main(int, char** argv) {
  for (const Variable& variable : kVariables) setenv(variable.name, variable.value, 0);
  char self[PATH_MAX] = {};
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
    std::fprintf(stderr, "muster-engine: /proc/self/exe: %s\n", std::strerror(errno));
    return kNotThere;
  }
  const std::string program = std::string(self) + "-torch";
  execv(program.c_str(), argv);
  std::fprintf(stderr, "muster-engine: %s: %s\n", program.c_str(), std::strerror(errno));
  return kNotThere;
}
