#include "io/hub.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/digest.h"
#include "base/printable.h"
#include "io/http.h"

namespace muster::io {
namespace {

constexpr size_t kMaxListingBytes = 16u << 20;
constexpr uint64_t kMostParameters = 1'000'000'000;  // Until the engine has bfloat16.

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::string replaced(std::string text, char from, const std::string& to) {
  std::string out;
  for (char c : text) c == from ? void(out += to) : void(out += c);
  return out;
}

bool is_hex(const std::string& text, size_t length) {
  return text.size() == length && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool is_wanted(const std::string& name) {
  static const std::vector<std::string> exact = {"config.json", "tokenizer.json",
                                                 "tokenizer_config.json", "special_tokens_map.json",
                                                 "model.safetensors.index.json"};
  const bool shard = name.starts_with("model") && name.ends_with(".safetensors") &&
                     name.find('/') == std::string::npos;
  return shard || std::find(exact.begin(), exact.end(), name) != exact.end();
}

Error status_error(int status, const std::string& what) {
  if (status == 401 || status == 403) {
    return {Code::kPermission, what + ": the Hub refuses (" + std::to_string(status) +
                                   "); a private or gated model needs HF_TOKEN"};
  }
  if (status == 404) return {Code::kUnsupported, what + ": the Hub has no such model or revision"};
  return {Code::kTryLater, what + ": the Hub answered " + std::to_string(status)};
}

std::string megabytes(uint64_t bytes) { return std::to_string((bytes + 999'999) / 1'000'000); }

// Holds a lock file for as long as it lives. Whoever holds it now may take an hour.
struct FileLock {
  int fd;
  FileLock(const Path& path, const std::function<bool()>& stopped)
      : fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
    while (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) != 0 && !stopped()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock() {
    if (fd >= 0) ::close(fd);
  }
};

Status make_folders(const std::vector<Path>& folders) {
  for (const Path& folder : folders) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail(Code::kDisk, folder.string() + ": " + error.message());
  }
  return {};
}

}  // namespace

HubSettings HubSettings::from_environment() {
  HubSettings settings;
  Path home = variable("HF_HOME");
  if (home.empty()) home = Path(variable("HOME")) / ".cache/huggingface";
  settings.cache = variable("HF_HUB_CACHE");
  if (settings.cache.empty()) settings.cache = home / "hub";
  settings.endpoint = variable("HF_ENDPOINT");
  if (settings.endpoint.empty()) settings.endpoint = "https://huggingface.co";
  while (settings.endpoint.ends_with('/')) settings.endpoint.pop_back();
  settings.token = variable("HF_TOKEN");
  if (settings.token.empty()) {
    settings.token = read_file(home / "token", 4096).value_or("");
    while (!settings.token.empty() &&
           std::isspace(static_cast<unsigned char>(settings.token.back()))) {
      settings.token.pop_back();
    }
  }
  const std::string offline = variable("HF_HUB_OFFLINE");
  settings.offline = offline == "1" || offline == "true" || offline == "ON" || offline == "YES";
  return settings;
}

Path Hub::folder(const std::string& name) const {
  return settings_.cache / ("models--" + replaced(name, '/', "--"));
}

std::vector<std::string> Hub::headers() const {
  if (settings_.token.empty()) return {};
  return {"Authorization: Bearer " + settings_.token};
}

Result<std::string> Hub::get_text(const std::string& url, const std::string& what,
                                  const std::function<bool()>& stopped) {
  std::string text;
  const auto keep = [&](std::string_view piece) {
    text += piece;
    return text.size() <= kMaxListingBytes;
  };
  MUSTER_TRY(const int status,
             http_get({url, headers(), keep, stopped, settings_.lookup_deadline}));
  if (status != 200) return fail(status_error(status, what));
  return text;
}

Result<Hub::Listing> Hub::list(const std::string& name, const std::string& revision,
                               const std::function<bool()>& stopped) {
  const std::string url = settings_.endpoint + "/api/models/" + name + "/revision/" +
                          replaced(revision, '/', "%2F") + "?blobs=true";
  MUSTER_TRY(const auto text, get_text(url, name + "@" + revision, stopped));
  auto parsed = parse_json(text, kMaxListingBytes);
  if (!parsed) return fail(Code::kTryLater, url + ": " + parsed.error().message);
  return read_listing(name, *parsed);
}

Result<Hub::Listing> Hub::read_listing(const std::string& name, const Json& answer) {
  Listing listing;
  MUSTER_TRY(listing.commit, get_string(answer, "sha"));
  if (!is_hex(listing.commit, 40)) return fail(Code::kTryLater, name + ": the Hub gave no commit");
  const Json& total = get_or_null(get_or_null(answer, "safetensors"), "total");
  if (total.is_number_unsigned()) listing.parameters = total.get<uint64_t>();
  bool weights = false;
  for (const Json& entry : get_or_null(answer, "siblings")) {
    const Json& large = get_or_null(entry, "lfs");
    File file;
    file.name = get_string(entry, "rfilename").value_or("");
    if (!is_wanted(file.name)) continue;
    file.is_sha256 = large.is_object();
    file.hash = file.is_sha256 ? get_string(large, "sha256").value_or("")
                               : get_string(entry, "blobId").value_or("");
    file.bytes = static_cast<uint64_t>(get_int(file.is_sha256 ? large : entry, "size").value_or(0));
    if (!is_hex(file.hash, file.is_sha256 ? 64 : 40)) {
      return fail(Code::kTryLater, name + ": the Hub gave no hash for " + file.name);
    }
    weights |= file.name.ends_with(".safetensors");
    listing.files.push_back(std::move(file));
  }
  if (!weights) {
    return fail(Code::kUnsupported,
                name + ": the repository has no safetensors, and pickled weights are not read");
  }
  return listing;
}

Result<pb::ModelPin> Hub::pin_offline(const eval::ModelName& model) const {
  pb::ModelPin pin;
  pin.set_name(model.name);
  pin.set_dtype("float32");
  pin.set_commit(model.revision);
  if (eval::is_commit(model.revision)) return pin;
  const Path ref = folder(model.name) / "refs" / model.revision;
  auto text = read_file(ref, 100);
  if (!text) {
    return fail(Code::kTryLater, model.name + "@" + model.revision +
                                     ": not in the cache, and HF_HUB_OFFLINE is set");
  }
  while (text->ends_with('\n')) text->pop_back();
  if (!eval::is_commit(*text)) return fail(Code::kTryLater, ref.string() + ": holds no commit");
  pin.set_commit(*text);
  return pin;
}

Result<pb::ModelPin> Hub::pin(const std::string& model, const std::function<bool()>& stopped) {
  MUSTER_TRY(const auto asked, eval::parse_model_name(model));
  if (settings_.offline) return pin_offline(asked);
  MUSTER_TRY(auto listing, list(asked.name, asked.revision, stopped));
  uint64_t bytes = 0;
  for (const File& file : listing.files) bytes += file.bytes;
  // Where the Hub does not count them, the bytes tell, as float32.
  if (listing.parameters == 0) listing.parameters = bytes / 4;
  if (listing.parameters > kMostParameters) {
    return fail(Code::kUnsupported,
                asked.name + ": " + std::to_string(listing.parameters / 1'000'000) +
                    " M parameters; this engine computes in float32 and takes up to 1 B");
  }
  note_ref(asked.name, asked.revision, listing.commit);
  pb::ModelPin pin;
  pin.set_name(asked.name);
  pin.set_dtype("float32");
  pin.set_commit(listing.commit);
  pin.set_parameters(listing.parameters);
  pin.set_bytes(bytes);
  return pin;
}

// A ref is a convenience, for tools that are offline: one that cannot be written is no error.
void Hub::note_ref(const std::string& name, const std::string& revision,
                   const std::string& commit) {
  std::error_code error;
  const Path top = folder(name), ref = top / "refs" / revision;
  const bool here = std::filesystem::exists(top / "snapshots" / commit / "config.json", error);
  if (!here || eval::is_commit(revision) || read_file(ref, 100).value_or("") == commit) return;
  std::filesystem::create_directories(ref.parent_path(), error);
  if (!error) (void)write_file_atomically(ref, commit);
}

void Hub::note_main(const pb::ModelPin& model, const std::function<bool()>& stopped) {
  const Path ref = folder(model.name()) / "refs" / "main";
  if (read_file(ref, 100).value_or("") == model.commit()) return;
  const auto main = list(model.name(), "main", stopped);
  if (main && main->commit == model.commit()) note_ref(model.name(), "main", model.commit());
}

Result<Path> Hub::obtain_offline(const pb::ModelPin& model) const {
  const Path snapshot = folder(model.name()) / "snapshots" / model.commit();
  std::error_code error;
  if (std::filesystem::exists(snapshot / "config.json", error)) return snapshot;
  return fail(Code::kNotFound,
              "model not here: " + snapshot.string() + ", and HF_HUB_OFFLINE is set");
}

Result<Path> Hub::obtain(const pb::ModelPin& model, const Fetch& wanted) {
  if (!eval::is_model_name(model.name()) || !eval::is_commit(model.commit())) {
    return fail(Code::kUnsupported, printable(model.name() + "@" + model.commit(), 200) +
                                        ": no name and commit of the Hub");
  }
  if (settings_.offline) return obtain_offline(model);
  MUSTER_TRY(const auto listing, list(model.name(), model.commit(), wanted.stopped));
  uint64_t total = 0, done = 0, said = 0;
  for (const File& file : listing.files) total += file.bytes;
  const Path top = folder(model.name()), snapshot = top / "snapshots" / listing.commit;
  MUSTER_TRY_STATUS(make_folders(
      {top / "blobs", top / "refs", snapshot, settings_.cache / ".locks" / top.filename()}));
  for (const File& file : listing.files) {
    const auto more = [&](uint64_t bytes) {
      done += bytes;
      if (done - said < (1u << 20) && done != total) return;
      said = done;
      wanted.say("fetching " + megabytes(done) + " of " + megabytes(total) + " MB");
    };
    MUSTER_TRY_STATUS(fetch(model.name(), listing.commit, file, more, wanted.stopped));
  }
  note_main(model, wanted.stopped);
  return snapshot;
}

Status Hub::fetch(const std::string& name, const std::string& commit, const File& file,
                  const std::function<void(uint64_t)>& more, const std::function<bool()>& stopped) {
  const Path top = folder(name), blob = top / "blobs" / file.hash;
  const FileLock lock(settings_.cache / ".locks" / top.filename() / (file.hash + ".lock"), stopped);
  if (stopped()) return fail(Code::kInterrupted, name + ": it is not wanted any more");
  std::error_code error;
  if (std::filesystem::file_size(blob, error) == file.bytes && !error) {
    more(file.bytes);
  } else {
    const std::string url =
        settings_.endpoint + "/" + name + "/resolve/" + commit + "/" + file.name;
    MUSTER_TRY_STATUS(download(url, file, blob, more, stopped));
  }
  return link(name, commit, file);
}

Status Hub::download(const std::string& url, const File& file, const Path& blob,
                     const std::function<void(uint64_t)>& more,
                     const std::function<bool()>& stopped) {
  const Path part = blob.string() + ".incomplete";
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(part.c_str(), "wb"), std::fclose);
  if (!out) return fail(Code::kDisk, part.string() + ": " + std::strerror(errno));
  Hasher hasher(file.is_sha256 ? Hasher::Kind::kSha256 : Hasher::Kind::kSha1);
  // A git blob's name covers a header before the bytes.
  if (!file.is_sha256) hasher.add("blob " + std::to_string(file.bytes) + std::string(1, '\0'));
  uint64_t got = 0;
  const auto write = [&](std::string_view piece) {
    got += piece.size();
    hasher.add(piece);
    more(piece.size());
    return got <= file.bytes &&
           std::fwrite(piece.data(), 1, piece.size(), out.get()) == piece.size();
  };
  auto status = http_get({url, headers(), write, stopped, {}});
  auto refuse = [&](Error why) {
    out.reset();
    ::unlink(part.c_str());
    return fail(std::move(why));
  };
  if (!status && got <= file.bytes) return refuse(status.error());
  if (status && *status != 200) return refuse(status_error(*status, url));
  if (got != file.bytes) {
    return refuse({Code::kTryLater, url + ": " + std::to_string(got) + " bytes came, " +
                                        std::to_string(file.bytes) + " were promised"});
  }
  if (to_hex(hasher.finish()) != file.hash) {
    // Not the researcher's fault: another machine, or another time, may get the right ones.
    return refuse({Code::kTryLater, url + ": the bytes are not what the Hub's hash says"});
  }
  const bool flushed = std::fflush(out.get()) == 0 && ::fsync(fileno(out.get())) == 0;
  if (!flushed || std::rename(part.c_str(), blob.c_str()) != 0) {
    return refuse({Code::kDisk, blob.string() + ": " + std::strerror(errno)});
  }
  return {};
}

Status Hub::link(const std::string& name, const std::string& commit, const File& file) {
  const Path path = folder(name) / "snapshots" / commit / file.name;
  std::error_code error;
  if (std::filesystem::exists(path, error)) return {};
  std::filesystem::remove(path, error);
  std::filesystem::create_symlink(Path("../../blobs") / file.hash, path, error);
  if (error) return fail(Code::kDisk, path.string() + ": " + error.message());
  return {};
}

}  // namespace muster::io
