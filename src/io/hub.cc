#include "io/hub.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/digest.h"
#include "base/hex.h"
#include "base/printable.h"
#include "eval/model_size.h"
#include "host/model_directory.h"
#include "io/http.h"

namespace muster::io {
namespace {

std::string replaced(const std::string& text, char from, const std::string& to) {
  std::string out;
  for (char c : text) c == from ? void(out += to) : void(out += c);
  return out;
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
class FileLock {
 public:
  FileLock(const Path& path, const std::function<bool()>& stopped)
      : file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
    while (file_.fd >= 0 && ::flock(file_.fd, LOCK_EX | LOCK_NB) != 0) {
      if (errno != EWOULDBLOCK || stopped()) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    is_held_ = file_.fd >= 0;
  }
  // No: it is not wanted any more, or this file system knows no locks.
  [[nodiscard]] bool is_held() const { return is_held_; }

 private:
  Descriptor file_;
  bool is_held_ = false;
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
             http_get({url, headers(), keep, stopped, settings_.proxy, settings_.lookup_deadline}));
  if (status != 200) return fail(status_error(status, what));
  return text;
}

Result<HubListing> Hub::list(const std::string& name, const std::string& revision,
                             const std::function<bool()>& stopped) {
  const std::string url = settings_.endpoint + "/api/models/" + name + "/revision/" +
                          replaced(revision, '/', "%2F") + "?blobs=true";
  MUSTER_TRY(const auto text, get_text(url, name + "@" + revision, stopped));
  auto parsed = parse_json(text, kMaxListingBytes);
  if (!parsed) return fail(Code::kTryLater, url + ": " + parsed.error().message);
  return read_hub_listing(name, *parsed);
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
  const uint64_t bytes = listing.bytes();
  // Where the Hub does not count them, the bytes tell, as float32.
  if (listing.parameters == 0) listing.parameters = bytes / 4;
  MUSTER_TRY_STATUS(eval::check_model_size(asked.name, listing.parameters));
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
  if (!error) (void)write_file_atomically(ref, commit, FileAccess::kUmask);
}

void Hub::note_main(const pb::ModelPin& model, const std::function<bool()>& stopped) {
  const Path ref = folder(model.name()) / "refs" / "main";
  if (read_file(ref, 100).value_or("") == model.commit()) return;
  const auto main = list(model.name(), "main", stopped);
  if (main && main->commit == model.commit()) note_ref(model.name(), "main", model.commit());
}

Result<Path> Hub::obtain_offline(const pb::ModelPin& model) {
  Path snapshot = folder(model.name()) / "snapshots" / model.commit();
  std::error_code error;
  if (!std::filesystem::exists(snapshot / "config.json", error)) {
    return fail(Code::kNotFound,
                "model not here: " + snapshot.string() + ", and HF_HUB_OFFLINE is set");
  }
  for (const auto& entry : std::filesystem::directory_iterator(snapshot, error)) {
    // A link names its blob, and so the hash; a copy has none to be held against.
    const std::string name = entry.path().filename().string();
    const std::string hash = std::filesystem::read_symlink(entry.path(), error).filename().string();
    const bool is_sha256 = is_hex(hash, 64);
    if (!is_fetched(name) || (!is_sha256 && !is_hex(hash, 40))) continue;
    const uint64_t bytes = std::filesystem::file_size(entry.path(), error);
    if (is_right(entry.path(), {name, bytes, hash, is_sha256})) continue;
    return fail(Code::kNotFound, "model not here: the bytes of " + entry.path().string() +
                                     " are not those of its hash; fetch it again without "
                                     "HF_HUB_OFFLINE");
  }
  return snapshot;
}

// Whether the file is there with the bytes that the Hub has. Hashed once for each state that it was
// seen in.
bool Hub::is_right(const Path& path, const HubFile& file) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  if (static_cast<uint64_t>(status.st_size) != file.bytes) return false;
  const std::string state =
      file.hash + " " + std::to_string(status.st_dev) + " " + std::to_string(status.st_ino) + " " +
      std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
  if (right_.contains(state)) return true;
  const auto mapped = MappedFile::open(path);
  if (!mapped) return false;
  Hasher hasher(file.is_sha256 ? Hasher::Kind::kSha256 : Hasher::Kind::kSha1);
  hasher.add(file.header());
  hasher.add(mapped->bytes());
  if (to_hex(hasher.finish()) != file.hash) return false;
  right_.insert(state);
  return true;
}

Result<Path> Hub::obtain(const pb::ModelPin& model, const Fetch& wanted) {
  if (!eval::is_model_name(model.name()) || !eval::is_commit(model.commit())) {
    return fail(Code::kUnsupported, printable(model.name() + "@" + model.commit(), 200) +
                                        ": no name and commit of the Hub");
  }
  if (settings_.offline) return obtain_offline(model);
  MUSTER_TRY(const auto listing, list(model.name(), model.commit(), wanted.stopped));
  Path snapshot = folder(model.name()) / "snapshots" / listing.commit;
  uint64_t total = 0, done = 0, said = 0;
  const auto more = [&](uint64_t bytes) {
    done += bytes;
    if (done - said < (1u << 20) && done != total) return;
    said = done;
    wanted.say("fetching " + megabytes(done) + " of " + megabytes(total) + " MB");
  };
  const auto fetch_all = [&](const std::vector<HubFile>& files) -> Status {
    for (const HubFile& file : files) total += file.bytes;
    for (const HubFile& file : files) {
      MUSTER_TRY_STATUS(fetch(model.name(), listing.commit, file, more, wanted.stopped));
    }
    return {};
  };
  MUSTER_TRY_STATUS(fetch_all(listing.files));
  MUSTER_TRY(const auto shards, used_shards(model.name(), snapshot, listing));
  MUSTER_TRY_STATUS(fetch_all(shards));
  note_main(model, wanted.stopped);
  return snapshot;
}

Result<std::vector<HubFile>> Hub::used_shards(const std::string& name, const Path& snapshot,
                                              const HubListing& listing) {
  if (listing.shards.empty()) return std::vector<HubFile>();
  MUSTER_TRY(const auto index, read_file(snapshot / host::kWeightsIndex, kMaxListingBytes));
  return shards_in_index(name, index, listing);
}

Status Hub::fetch(const std::string& name, const std::string& commit, const HubFile& file,
                  const std::function<void(uint64_t)>& more, const std::function<bool()>& stopped) {
  const Path top = folder(name), blob = top / "blobs" / file.hash;
  const Path snapshot = top / "snapshots" / commit, locks = settings_.cache / ".locks";
  if (is_right(snapshot / file.name, file)) {  // Nothing to be written, where one may not.
    more(file.bytes);
    return {};
  }
  MUSTER_TRY_STATUS(make_folders({top / "blobs", top / "refs", snapshot, locks / top.filename()}));
  const FileLock lock(locks / top.filename() / (file.hash + ".lock"), stopped);
  if (stopped()) return fail(Code::kInterrupted, name + ": it is not wanted any more");
  if (is_right(blob, file)) {
    more(file.bytes);
  } else {
    const std::string url =
        settings_.endpoint + "/" + name + "/resolve/" + commit + "/" + file.name;
    // Nobody else has this name: under the lock, or by the number of the process.
    const std::string own = lock.is_held() ? "" : "." + std::to_string(::getpid());
    MUSTER_TRY_STATUS(
        download(url, file, blob, blob.string() + own + ".incomplete", more, stopped));
  }
  return link(blob, snapshot / file.name);
}

Status Hub::download(const std::string& url, const HubFile& file, const Path& blob,
                     const Path& part, const std::function<void(uint64_t)>& more,
                     const std::function<bool()>& stopped) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> out(std::fopen(part.c_str(), "wb"), std::fclose);
  if (!out) return fail(Code::kDisk, part.string() + ": " + std::strerror(errno));
  Hasher hasher(file.is_sha256 ? Hasher::Kind::kSha256 : Hasher::Kind::kSha1);
  hasher.add(file.header());
  uint64_t got = 0;
  const auto write = [&](std::string_view piece) {
    got += piece.size();
    hasher.add(piece);
    more(piece.size());
    return got <= file.bytes &&
           std::fwrite(piece.data(), 1, piece.size(), out.get()) == piece.size();
  };
  auto status = http_get({url, headers(), write, stopped, settings_.proxy, {}});
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

// Whatever is there is replaced: it was not right. A file system without links gets a copy.
Status Hub::link(const Path& blob, const Path& path) const {
  const Path beside = path.string() + "." + std::to_string(::getpid()) + ".part";
  std::error_code error;
  std::filesystem::remove(beside, error);
  if (!settings_.no_links) {
    std::filesystem::create_symlink(Path("../../blobs") / blob.filename(), beside, error);
  }
  if (settings_.no_links || error) {
    error.clear();
    std::filesystem::copy_file(blob, beside, error);
  }
  if (!error) std::filesystem::rename(beside, path, error);
  if (error) return fail(Code::kDisk, path.string() + ": " + error.message());
  return {};
}

}  // namespace muster::io
