#include "identity/local_token.h"

#include <unistd.h>

#include <filesystem>
#include <string>

namespace muster::identity {
namespace {

constexpr size_t kMostBytes = 4096;
constexpr const char* kOperators = "operator.token";

Path link_of(int port) { return state_home() / "local" / std::to_string(port); }

}  // namespace

Status leave_local_token(const Path& folder, const std::string& role, const Token& token) {
  return write_file_atomically(folder / (role + ".token"), token.word() + "\n");
}

Status link_local_token(const Path& folder, int port) {
  const Path file = std::filesystem::absolute(folder) / kOperators, link = link_of(port);
  std::error_code error;
  std::filesystem::create_directories(link.parent_path(), error);
  const Path beside = link.string() + "." + std::to_string(getpid());
  std::filesystem::create_symlink(file, beside, error);
  if (!error) std::filesystem::rename(beside, link, error);
  if (error) return fail(Code::kDisk, link.string() + ": " + error.message());
  return {};
}

Result<Token> find_local_token(int port) {
  MUSTER_TRY(std::string word, read_file(link_of(port), kMostBytes));
  while (!word.empty() && word.back() == '\n') word.pop_back();
  return Token::parse(word);
}

}  // namespace muster::identity
