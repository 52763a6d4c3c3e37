#include "identity/login.h"

#include <cstdlib>
#include <filesystem>

#include "base/address.h"
#include "base/digest.h"
#include "base/json.h"
#include "identity/certificate.h"

namespace muster::identity {
namespace {

constexpr size_t kMostBytes = 32u << 10, kKeyBytes = 64;

}  // namespace

Result<Login> parse_login(const std::string& text) {
  MUSTER_TRY(const Json json, parse_json(text, kMostBytes));
  Login login;
  MUSTER_TRY(login.server, get_string(json, "server"));
  MUSTER_TRY(const std::string key, get_string(json, "key"));
  MUSTER_TRY(login.secret_key, from_hex(key));
  MUSTER_TRY(login.certificate, get_string(json, "certificate"));
  MUSTER_TRY(login.authority, get_string(json, "authority"));
  if (!parse_address(login.server)) return fail(Code::kDataLoss, "its server is no address");
  if (login.secret_key.size() != kKeyBytes) return fail(Code::kDataLoss, "its key is none");
  MUSTER_TRY(const Certificate certificate, read_certificate(login.certificate));
  if (certificate.public_key != login.secret_key.substr(kKeyBytes / 2)) {
    return fail(Code::kDataLoss, "the certificate is of another key");
  }
  MUSTER_TRY_STATUS(check_issuer(login.certificate, login.authority));
  return login;
}

std::string to_text(const Login& login) {
  const Json json{{"server", login.server},
                  {"key", to_hex(login.secret_key)},
                  {"certificate", login.certificate},
                  {"authority", login.authority}};
  return json.dump(2) + "\n";
}

Path login_file() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  const Path folder = config != nullptr && *config != '\0'
                          ? Path(config)
                          : Path(home != nullptr ? home : ".") / ".config";
  return folder / "muster" / "login.json";
}

Result<std::optional<Login>> read_login(const Path& file) {
  const auto text = read_file(file, kMostBytes);
  if (!text && text.error().code == Code::kNotFound) return std::nullopt;
  auto login = text ? parse_login(*text) : fail(text.error());
  if (login) return *login;
  return fail(Code::kDataLoss,
              file.string() + ": " + login.error().message + "; log in again, or 'muster logout'");
}

Status write_login(const Path& file, const Login& login) {
  std::error_code error;
  std::filesystem::create_directories(file.parent_path(), error);
  if (error) return fail(Code::kDisk, file.parent_path().string() + ": " + error.message());
  return write_file_atomically(file, to_text(login));
}

}  // namespace muster::identity
