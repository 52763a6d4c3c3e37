#include "cli/command.h"

#include <csignal>
#include <cstdio>
#include <iostream>
#include <vector>

#include "base/printable.h"

namespace muster::cli {
namespace {

// Flags are written with underscores, as lm-eval's; hyphens are accepted too.
std::vector<std::string> with_underscores(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {  // CLI11 takes them in reverse.
    std::string argument = argv[i];
    const size_t end = std::min(argument.find('='), argument.size());
    for (size_t c = 2; argument.starts_with("--") && c < end; ++c) {
      if (argument[c] == '-') argument[c] = '_';
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

// Whether all that was printed has arrived, on a full disk, say, or in a pipe.
Status all_printed() {
  std::cout.flush();
  const bool printed = std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good();
  return printed ? Status() : fail(Code::kDisk, "what was printed could not be written");
}

// The exit code, and on stderr why.
int told(const Status& status) {
  if (status) return 0;
  if (!status.error().message.empty()) {
    // It may quote a peer or a file.
    std::fprintf(stderr, "muster: %s\n", printable(status.error().message, 4000).c_str());
  }
  return exit_code(status.error().code);
}

}  // namespace

int run_program(CLI::App& app, Commands& commands, int argc, char** argv) {
  // Words go into messages and files, which are UTF-8; told here rather than by a server's silence.
  for (int i = 1; i < argc; ++i) {
    if (is_utf8(argv[i])) continue;
    std::fprintf(stderr, "muster: '%s' is not valid UTF-8\n", printable(argv[i]).c_str());
    return 2;
  }
  ::signal(SIGPIPE, SIG_IGN);  // A reader that is gone is a write that fails, told at the end.
  try {
    app.parse(with_underscores(argc, argv));
  } catch (const CLI::ParseError& error) {
    // CLI11 says of a word it does not know only that a command is missing.
    const std::string word = argc > 1 ? argv[1] : "";
    if (!word.empty() && word[0] != '-' && !commands.contains(word)) {
      std::fprintf(stderr, "muster: no command is called '%s'; see muster --help\n",
                   printable(word).c_str());
      return 2;
    }
    const int code = app.exit(error) == 0 ? 0 : 2;
    return code != 0 ? code : told(all_printed());
  }
  const Status status = commands.at(app.get_subcommands().front()->get_name())();
  if (status) return told(all_printed());
  return told(status);
}

}  // namespace muster::cli
