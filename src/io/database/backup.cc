#include "io/database/backup.h"

#include <algorithm>
#include <limits>

#include "base/digest.h"
#include "base/json.h"
#include "identity/authority.h"
#include "io/database/connection.h"
#include "io/database/pool_authority.h"
#include "io/database/schema.h"
#include "io/database/table_rows.h"

namespace muster::io {
namespace {

constexpr int kFormat = 1;
constexpr long long kOldest = 2;  // The schema that the first backups were of.
constexpr size_t kMostLine = 64u << 20;

// ---- Writing.

class Writer {
 public:
  explicit Writer(const Sink& sink) : sink_(sink) {}

  Status write(const Json& line) {
    const std::string text = line.dump() + "\n";
    hasher_.add(text);
    ++lines_;
    return sink_(text);
  }
  Status end() {
    return sink_(
        Json{{"end", {{"lines", lines_}, {"sha256", hasher_.finish_sha256().hex()}}}}.dump() +
        "\n");
  }

 private:
  const Sink& sink_;
  Hasher hasher_;
  uint64_t lines_ = 0;
};

Result<long long> schema_of(Connection& connection) {
  try {
    long long version = 0;
    connection.session() << "SELECT version FROM schema_version", soci::into(version);
    if (version == kSchema) return version;
    return fail(Code::kUnsupported,
                connection.name() + " has schema " + std::to_string(version) +
                    ", and this muster writes " + std::to_string(kSchema) +
                    ": use the muster of its server, or start this one's server once");
  } catch (const std::exception& error) {
    if (connection.is_lost(error)) throw;
    return fail(Code::kNotFound, connection.name() + ": there is no pool there");
  }
}

// The authority's key, where it is in the folder and not in a row.
Status write_key(const Json& row, const Path& folder, Writer& writer, BackupContents& contents) {
  if (!row.value("sealed_key", "").empty()) {
    contents.key = BackupContents::Key::kSealed;
    return {};
  }
  MUSTER_TRY(const auto key, read_key_file(folder));
  if (!identity::Authority::read({row.value("certificate", ""), key})) {
    return fail(Code::kDataLoss, folder.string() +
                                     ": authority.key is not this pool's; give the "
                                     "--state_dir of its server");
  }
  contents.key = BackupContents::Key::kPlain;
  return writer.write({{"authority_key", key}});
}

Status write_all(Connection& connection, const Path& folder, int64_t now_ms, Writer& writer,
                 BackupContents& contents) {
  MUSTER_TRY(const long long schema, schema_of(connection));
  MUSTER_TRY_STATUS(writer.write({{"muster_backup", kFormat},
                                  {"schema", schema},
                                  {"version", MUSTER_VERSION},
                                  {"taken_ms", now_ms}}));
  for (const Table& table : kTables) {
    MUSTER_TRY_STATUS(visit_rows(connection.session(), table, [&](const Json& row) -> Status {
      ++contents.rows[table.name];
      MUSTER_TRY_STATUS(writer.write({{"table", table.name}, {"row", row}}));
      if (std::string_view(table.name) != "authority") return {};
      return write_key(row, folder, writer, contents);
    }));
  }
  return writer.end();
}

// ---- Reading.

// The lines of a backup that is whole.
class Reader {
 public:
  static Result<Reader> open(const Path& file) {
    MUSTER_TRY(auto mapped, MappedFile::open(file));
    Reader reader(file, std::move(mapped));
    MUSTER_TRY_STATUS(reader.check());
    return reader;
  }

  // Of all but the first and the last.
  Status visit(const std::function<Status(const Json&)>& take) const {
    std::string_view rest = bytes_;
    for (uint64_t number = 1; !rest.empty(); ++number) {
      const std::string_view text = next(rest);
      if (number == 1) continue;
      MUSTER_TRY(const Json line, parse(text, number));
      const Status taken = take(line);
      if (!taken) return fail(taken.error().in(place(number)));
    }
    return {};
  }
  [[nodiscard]] long long schema() const { return schema_; }

 private:
  Reader(Path file, MappedFile mapped) : file_(std::move(file)), mapped_(std::move(mapped)) {}

  static std::string_view next(std::string_view& rest) {
    const size_t size = std::min(rest.find('\n'), rest.size() - 1) + 1;
    const std::string_view line = rest.substr(0, size);
    rest.remove_prefix(size);
    return line;
  }
  [[nodiscard]] std::string place(uint64_t number) const {
    return file_.string() + " line " + std::to_string(number);
  }
  [[nodiscard]] Result<Json> parse(std::string_view text, uint64_t number) const {
    auto line = parse_json(text, kMostLine);
    if (line && line->is_object()) return line;
    return fail(Code::kDataLoss, place(number) + ": no line of a backup");
  }
  [[nodiscard]] tl::unexpected<Error> not_whole() const {
    return fail(Code::kDataLoss, file_.string() + ": no backup of a pool, or not all of one");
  }

  // The last line tells how many are before it, and what they are.
  Status check() {
    const std::string_view all = mapped_.bytes();
    const size_t before = all.size() < 2 ? 0 : all.rfind('\n', all.size() - 2) + 1;
    if (before == 0) return not_whole();
    bytes_ = all.substr(0, before);
    const auto last = parse_json(all.substr(before), kMostLine);
    const auto first = parse_json(bytes_.substr(0, bytes_.find('\n')), kMostLine);
    if (!last || !last->is_object() || !last->contains("end") || !first || !first->is_object()) {
      return not_whole();
    }
    const Json end = (*last)["end"];
    const auto lines = static_cast<uint64_t>(std::count(bytes_.begin(), bytes_.end(), '\n'));
    if (end != Json{{"lines", lines}, {"sha256", sha256(bytes_).hex()}}) return not_whole();
    return check_head(*first);
  }
  Status check_head(const Json& head) {
    const auto number = [&](const char* name) {
      const auto found = head.find(name);
      return found != head.end() && found->is_number_integer() ? found->get<long long>() : -1;
    };
    schema_ = number("schema");
    if (number("muster_backup") < 1 || schema_ < kOldest) return not_whole();
    if (number("muster_backup") == kFormat && schema_ <= kSchema) return {};
    return fail(Code::kUnsupported, file_.string() + " was written by a newer muster (schema " +
                                        std::to_string(schema_) + ", and this one knows " +
                                        std::to_string(kSchema) + "): upgrade this one");
  }

  Path file_;
  MappedFile mapped_;
  std::string_view bytes_;  // Of `mapped_`: all but the last line.
  long long schema_ = 0;
};

const Table* table_named(const std::string& name) {
  const auto* found = std::find_if(std::begin(kTables), std::end(kTables),
                                   [&](const Table& table) { return table.name == name; });
  return found == std::end(kTables) ? nullptr : found;
}

// 0: no server has ever had it. One that was written before schemas had numbers is brought up to
// date to be seen.
Result<long long> epoch_there(Connection& connection) {
  MUSTER_TRY_STATUS(migrate(connection, kSchema));
  long long epoch = 0;
  connection.session() << "SELECT pool_epoch FROM pool", soci::into(epoch);
  return epoch;
}

void drop_all(soci::session& sql) {
  for (const Table& table : kTables) {
    sql << std::string("DROP TABLE IF EXISTS ") + table.name;
  }
  sql << "UPDATE schema_version SET version = 0";
}

struct Restored {
  BackupContents contents;
  std::string certificate, sealed_key, plain_key;
};

Status take_line(soci::session& sql, const Json& line, Restored& restored) {
  if (line.contains("authority_key") && line["authority_key"].is_string()) {
    restored.plain_key = line["authority_key"].get<std::string>();
    return {};
  }
  const Table* const table =
      line.contains("table") && line["table"].is_string() && line.contains("row")
          ? table_named(line["table"].get<std::string>())
          : nullptr;
  if (table == nullptr) return fail(Code::kDataLoss, "no row of a table");
  ++restored.contents.rows[table->name];
  if (std::string_view(table->name) == "pool") sql << "DELETE FROM pool";
  return insert_row(sql, *table, line["row"]);
}

// Where the authority's key is from now on: under the seal that is given, else as it was.
Status place_key(soci::session& sql, const RestoreOptions& options, Restored& restored) {
  sql << "SELECT certificate, sealed_key FROM authority", soci::into(restored.certificate),
      soci::into(restored.sealed_key);
  if (!sql.got_data()) return {};
  restored.contents.key = BackupContents::Key::kSealed;
  if (!restored.sealed_key.empty()) {
    return options.key ? Status(options.key->open(restored.sealed_key).map([](const auto&) {}))
                       : Status();
  }
  MUSTER_TRY_STATUS(
      identity::Authority::read({restored.certificate, restored.plain_key}).map([](const auto&) {
      }));
  if (!options.key) {
    restored.contents.key = BackupContents::Key::kPlain;
    return {};
  }
  const std::string sealed = options.key->seal(restored.plain_key);
  sql << "UPDATE authority SET sealed_key = :sealed", soci::use(sealed);
  return {};
}

// An authority that is nowhere else is not written over.
Status check_folder(const Path& folder, const Restored& restored, const RestoreOptions& options) {
  if (restored.contents.key != BackupContents::Key::kPlain || options.replace) return {};
  const auto key = read_key_file(folder);
  if (key ? *key == restored.plain_key : key.error().code == Code::kNotFound) return {};
  if (!key) return fail(key.error());
  return fail(Code::kFailed, folder.string() +
                                 " has the authority.key of another pool: restore "
                                 "into another --state_dir, or give --replace to "
                                 "have that pool no more");
}

Result<Restored> restore_in(Connection& connection, const Reader& reader, const Path& folder,
                            const RestoreOptions& options) {
  soci::session& sql = connection.session();
  Restored restored;
  Transaction transaction(connection, Transaction::Kind::kMigration);
  MUSTER_TRY(const long long epoch, epoch_there(connection));
  if (epoch > 0 && !options.replace) {
    return fail(Code::kFailed, connection.name() +
                                   " has a pool: restore into an empty database, "
                                   "or give --replace to have it no more");
  }
  drop_all(sql);
  MUSTER_TRY_STATUS(migrate(connection, reader.schema()));
  MUSTER_TRY_STATUS(reader.visit([&](const Json& line) { return take_line(sql, line, restored); }));
  MUSTER_TRY_STATUS(migrate(connection, kSchema));
  MUSTER_TRY_STATUS(place_key(sql, options, restored));
  MUSTER_TRY_STATUS(check_folder(folder, restored, options));
  long long epoch_then = 0;
  sql << "SELECT pool_epoch FROM pool", soci::into(epoch_then);
  const long long epoch_now = std::max(epoch, epoch_then) + 1;
  sql << "UPDATE pool SET pool_epoch = :epoch", soci::use(epoch_now);
  MUSTER_TRY_STATUS(connection.still_there());
  transaction.commit();
  return restored;
}

// What is thrown is said.
template <typename Work>
auto said(Connection& connection, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const std::exception& error) {
    return fail(connection.passes(error) ? Code::kUnavailable : Code::kDisk,
                connection.name() + ": " + reason_of(error));
  }
}

}  // namespace

Result<BackupContents> write_backup(const DatabaseAddress& address, const Path& folder,
                                    const Path& file, int64_t now_ms) {
  if (!address.is_postgres() && !std::filesystem::exists(address.file())) {
    return fail(Code::kNotFound, address.text() + ": there is no pool there");
  }
  const auto connection = Connection::to(address);
  MUSTER_TRY_STATUS(connection->open());
  BackupContents contents;
  MUSTER_TRY_STATUS(write_file_atomically(file, [&](const Sink& sink) {
    return said(*connection, [&] {
      const Transaction snapshot(*connection, Transaction::Kind::kSnapshot);
      Writer writer(sink);
      return write_all(*connection, folder, now_ms, writer, contents);
    });
  }));
  return contents;
}

Result<BackupContents> restore_backup(const Path& file, const DatabaseAddress& address,
                                      const Path& folder, const RestoreOptions& options) {
  MUSTER_TRY(const Reader reader, Reader::open(file));
  const auto connection = Connection::to(address);
  MUSTER_TRY_STATUS(connection->open());
  MUSTER_TRY(const Restored restored,
             said(*connection, [&] { return restore_in(*connection, reader, folder, options); }));
  if (restored.contents.key == BackupContents::Key::kPlain) {
    MUSTER_TRY_STATUS(write_authority(folder, {restored.certificate, restored.plain_key}));
  }
  return restored.contents;
}

}  // namespace muster::io
