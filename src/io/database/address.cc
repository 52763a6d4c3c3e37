#include "io/database/address.h"

#include <libpq-fe.h>

#include <cctype>
#include <map>
#include <memory>
#include <string_view>

namespace muster::io {
namespace {

constexpr size_t kMostBytes = 4096;
constexpr const char* kForm = "postgresql://USER@HOST:PORT/NAME";

using Options = std::map<std::string, std::string>;

// PostgreSQL's words quote what they do not understand, behind a colon: a password for instance.
std::string without_quotes(std::string words) {
  words.erase(std::min(words.find(": \""),
                       words.find('\n') == std::string::npos ? words.size() : words.find('\n')));
  return words;
}

Result<Options> read(const std::string& text) {
  char* words = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> found(
      PQconninfoParse(text.c_str(), &words), PQconninfoFree);
  const std::unique_ptr<char, decltype(&PQfreemem)> freed(words, PQfreemem);
  if (!found) {
    return fail(Code::kInvalidArgument, std::string("no address of a database (") + kForm + "): " +
                                            without_quotes(words != nullptr ? words : "no memory"));
  }
  Options options;
  for (const PQconninfoOption* option = found.get(); option->keyword != nullptr; ++option) {
    if (option->val != nullptr) options[option->keyword] = option->val;
  }
  return options;
}

std::string quoted(const std::string& value) {
  std::string text = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') text += '\\';
    text += c;
  }
  return text + "'";
}

std::string joined(const Options& options) {
  std::string text;
  for (const auto& [name, value] : options) {
    text += (text.empty() ? "" : " ") + name + "=" + quoted(value);
  }
  return text;
}

// Text of an address in which nothing is taken for what divides it; `also` divides nothing there.
std::string escaped(const std::string& text, std::string_view also = "") {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-_.").find(c) != std::string_view::npos ||
        also.find(c) != std::string_view::npos) {
      escaped += c;
    } else {
      escaped += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return escaped;
}

// One host, which is a name or an address, at one port: what stands before the path as it is.
bool is_plain(const std::string& host, const std::string& port) {
  const bool is_digits = port.find_first_not_of("0123456789") == std::string::npos;
  const bool is_name = escaped(host) == host;
  const bool is_ipv6 = host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
  return is_digits && (is_name || is_ipv6) && !(host.empty() && !port.empty());
}

std::string shown(Options options) {
  const auto take = [&](const char* name) {
    auto taken = options.extract(name);
    return taken.empty() ? std::string() : taken.mapped();
  };
  const std::string user = take("user"), host = take("host"), port = take("port"),
                    name = take("dbname");
  std::string text = "postgresql://" + escaped(user) + (user.empty() ? "" : "@");
  if (is_plain(host, port)) {
    text += host.find(':') == std::string::npos ? host : "[" + host + "]";
    return text + (port.empty() ? "" : ":" + port) + "/" + escaped(name);
  }
  text += "/" + escaped(name);
  if (!host.empty()) text += "?host=" + escaped(host, "/,:");
  if (!port.empty()) text += (host.empty() ? "?port=" : "&port=") + escaped(port, ",");
  return text;
}

}  // namespace

DatabaseAddress DatabaseAddress::of_file(Path file) {
  DatabaseAddress address;
  address.text_ = file.string();
  address.file_ = std::move(file);
  return address;
}

Result<DatabaseAddress> DatabaseAddress::parse(const std::string& text) {
  if (text.size() > kMostBytes || text.find('\0') != std::string::npos) {
    return fail(Code::kInvalidArgument, "longer than the address of a database can be");
  }
  if (!text.starts_with("postgresql://") && !text.starts_with("postgres://")) {
    const size_t scheme = text.find("://");
    if (scheme != std::string::npos || text.empty()) {
      return fail(Code::kInvalidArgument, std::string("neither a file nor ") + kForm);
    }
    return of_file(expanded(text));
  }
  MUSTER_TRY(Options options, read(text));
  DatabaseAddress address;
  address.text_ = shown(options);
  options.insert({{"application_name", "muster"},
                  {"client_encoding", "UTF8"},
                  {"connect_timeout", "3"},
                  {"keepalives_idle", "5"},
                  {"keepalives_interval", "5"},
                  {"keepalives_count", "3"},
                  {"tcp_user_timeout", "15000"}});
  address.options_ = joined(options);
  return address;
}

}  // namespace muster::io
