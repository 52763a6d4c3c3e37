#include "client/engine_info.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

extern char** environ;

namespace muster::client {
namespace {

constexpr size_t kMaxOutput = 1 << 20;

std::string read_all(int fd) {
  std::string text;
  char buffer[4096];
  for (ssize_t n = 0; (n = ::read(fd, buffer, sizeof buffer)) > 0 && text.size() < kMaxOutput;) {
    text.append(buffer, static_cast<size_t>(n));
  }
  ::close(fd);
  return text;
}

// "muster-engine: DIR: what\n" without the program's name.
std::string sentence(std::string words) {
  const std::string name = "muster-engine: ";
  if (words.starts_with(name)) words.erase(0, name.size());
  while (words.ends_with('\n')) words.pop_back();
  return words;
}

}  // namespace

Result<Json> engine_info(const Path& engine, const Path& model) {
  int out[2], errors[2];
  if (::pipe(out) != 0) return fail(Code::kFailed, std::strerror(errno));
  if (::pipe(errors) != 0) return fail(Code::kFailed, std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors[1], STDERR_FILENO);
  for (int fd : {out[0], out[1], errors[0], errors[1]}) {
    posix_spawn_file_actions_addclose(&actions, fd);
  }
  std::string program = engine.string(), info = "info", flag = "--model", path = model.string();
  char* arguments[] = {program.data(), info.data(), flag.data(), path.data(), nullptr};
  pid_t child = -1;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments, environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  ::close(errors[1]);
  const std::string text = read_all(out[0]), words = read_all(errors[0]);
  if (error != 0) return fail(Code::kFailed, program + ": " + std::strerror(error));
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    const bool disk = WIFEXITED(status) && WEXITSTATUS(status) == exit_code(Code::kDisk);
    return fail(disk ? Code::kDisk : Code::kUnsupported, sentence(words));
  }
  return parse_json(text, kMaxOutput);
}

}  // namespace muster::client
