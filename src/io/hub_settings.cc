#include "io/hub_settings.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace muster::io {
namespace {

constexpr size_t kMostTokenBytes = 4096;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

// The first of them that is set.
std::string first_of(std::initializer_list<const char*> names) {
  for (const char* name : names) {
    if (std::string value = variable(name); !value.empty()) return value;
  }
  return "";
}

bool is_true(std::string value) {
  for (char& c : value) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return value == "1" || value == "ON" || value == "YES" || value == "TRUE";
}

bool is_of_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

// "$NAME" and "${NAME}" become what the variable holds; one that is not set stays as it is written.
std::string with_variables(const std::string& text) {
  std::string out;
  for (size_t at = 0; at < text.size();) {
    const bool braced = text.compare(at, 2, "${") == 0;
    const size_t begin = at + (braced ? 2 : 1);
    size_t end = begin;
    while (end < text.size() && is_of_name(text[end])) ++end;
    const bool whole = end > begin && (!braced || (end < text.size() && text[end] == '}'));
    const std::string name = text.substr(begin, whole && text[at] == '$' ? end - begin : 0);
    const char* value = name.empty() ? nullptr : std::getenv(name.c_str());
    const size_t next = value != nullptr ? end + (braced ? 1 : 0) : at + 1;
    out += value != nullptr ? value : text.substr(at, 1);
    at = next;
  }
  return out;
}

Path path_of(const std::string& text) { return with_variables(expanded(text).string()); }

// Line breaks at the end are what a file or a secret's store puts there.
std::string stripped(std::string text) {
  std::erase_if(text, [](char c) { return c == '\r' || c == '\n'; });
  const auto is_space = [](unsigned char c) { return std::isspace(c) != 0; };
  text.erase(text.begin(), std::find_if_not(text.begin(), text.end(), is_space));
  text.erase(std::find_if_not(text.rbegin(), text.rend(), is_space).base(), text.end());
  return text;
}

Result<std::string> read_token(const Path& home) {
  if (is_true(variable("HF_HUB_DISABLE_IMPLICIT_TOKEN"))) return std::string();
  std::string token = stripped(first_of({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"}));
  if (token.empty()) {
    const std::string file = variable("HF_TOKEN_PATH");
    const Path path = file.empty() ? home / "token" : path_of(file);
    token = stripped(read_file(path, kMostTokenBytes).value_or(""));
  }
  const bool plain =
      std::all_of(token.begin(), token.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
  if (!plain) {
    return fail(Code::kInvalidArgument, "HF_TOKEN: a token has letters and digits only, no blanks");
  }
  return token;
}

}  // namespace

Result<HubSettings> HubSettings::from_environment() {
  HubSettings settings;
  Path home = path_of(variable("HF_HOME"));
  if (home.empty()) {
    const std::string cache = variable("XDG_CACHE_HOME");
    home = path_of(cache.empty() ? "~/.cache" : cache) / "huggingface";
  }
  settings.cache = path_of(first_of({"HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"}));
  if (settings.cache.empty()) settings.cache = home / "hub";
  settings.endpoint = variable("HF_ENDPOINT");
  if (settings.endpoint.empty()) settings.endpoint = "https://huggingface.co";
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  MUSTER_TRY(settings.token, read_token(home));
  settings.offline = is_true(first_of({"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"}));
  settings.no_links = is_true(variable("HF_HUB_DISABLE_SYMLINKS"));
  return settings;
}

}  // namespace muster::io
