#pragma once

#include <optional>
#include <string>

#include "base/file.h"
#include "base/result.h"

namespace muster::identity {

// A person's place in a pool, got for a token once: what commands speak by from then on, and where
// to.
struct Login {
  std::string server;       // HOST:PORT.
  std::string secret_key;   // Ed25519, libsodium's 64 bytes.
  std::string certificate;  // Of that key; PEM.
  std::string authority;    // The pool's; PEM.
};

// As a file has it: JSON, 32 KiB at most. kDataLoss, kInvalidArgument: it is none, or its key is
// not the certificate's, or that is not the authority's.
Result<Login> parse_login(const std::string& text);
std::string to_text(const Login& login);
// $XDG_CONFIG_HOME/muster/login.json, else ~/.config/muster/login.json.
Path login_file();
// None: nobody has logged in. kDataLoss: it is none, or not what write_login() left; kDisk.
Result<std::optional<Login>> read_login(const Path& file);
// Readable by its user alone. kDisk.
Status write_login(const Path& file, const Login& login);

}  // namespace muster::identity
