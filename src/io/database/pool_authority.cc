#include "io/database/pool_authority.h"

#include "io/database/connection.h"
#include "io/database/schema.h"

namespace muster::io {
namespace {

constexpr size_t kMostBytes = 16u << 10;

// As the database has it.
struct Row {
  std::string certificate;
  std::string sealed_key;  // Empty: it is in a folder.
};

std::optional<Row> read_row(soci::session& sql) {
  Row row;
  sql << "SELECT certificate, sealed_key FROM authority", soci::into(row.certificate),
      soci::into(row.sealed_key);
  if (!sql.got_data()) return std::nullopt;
  return row;
}

void write_row(soci::session& sql, const Row& row) {
  sql << "INSERT INTO authority (id, certificate, sealed_key) VALUES (1, :certificate, :key) "
         "ON CONFLICT (id) DO UPDATE SET certificate = excluded.certificate, "
         "sealed_key = excluded.sealed_key",
      soci::use(row.certificate), soci::use(row.sealed_key);
}

Path certificate_in(const Path& folder) { return folder / "authority.crt"; }
Path key_in(const Path& folder) { return folder / "authority.key"; }

// None: there is no certificate. A key alone is what a crash between the two has left.
Result<std::optional<identity::Authority>> read_folder(const Path& folder) {
  auto certificate = read_file(certificate_in(folder), kMostBytes);
  if (!certificate && certificate.error().code == Code::kNotFound) {
    return std::optional<identity::Authority>();
  }
  if (!certificate) return fail(certificate.error());
  auto key = read_file(key_in(folder), kMostBytes);
  auto authority = key ? identity::Authority::read({*certificate, *key})
                       : Result<identity::Authority>(fail(key.error()));
  if (authority) return std::optional(std::move(*authority));
  return fail(Code::kDisk, certificate_in(folder).string() +
                               " and authority.key: " + authority.error().message +
                               "; put both back from a backup ('muster restore')");
}

Result<identity::Authority> unseal(const Row& row, const std::optional<identity::PoolKey>& key,
                                   const std::string& database) {
  if (!key) {
    return fail(Code::kPermission, "the key of this pool's authority is sealed in " + database +
                                       ": give --pool_key FILE, the one it was sealed with");
  }
  auto secret = key->open(row.sealed_key);
  if (!secret) {
    return fail(Code::kPermission, "the key of this pool's authority, in " + database + ", was " +
                                       secret.error().message + ": --pool_key is another pool's");
  }
  return identity::Authority::read({row.certificate, *secret});
}

// Of a pool that is new, or that has its key in the folder.
Result<identity::Authority> authority_of_folder(Connection& connection,
                                                const std::optional<Row>& row, const Path& folder,
                                                int64_t unix_seconds) {
  MUSTER_TRY(auto there, read_folder(folder));
  if (row && (!there || there->certificate() != row->certificate)) {
    return fail(Code::kDisk,
                connection.name() +
                    " is of a pool whose authority.crt and authority.key are not in " +
                    folder.string() +
                    ": bring both from the folder of the server before, or from a backup "
                    "('muster restore'). Without them every machine needs a token again: then " +
                    connection.command_for("DELETE FROM authority"));
  }
  if (there) return std::move(*there);
  return identity::Authority::make(unix_seconds);
}

Result<identity::Authority> open_in(Connection& connection, const Path& folder,
                                    const std::optional<identity::PoolKey>& key,
                                    int64_t unix_seconds) {
  Transaction transaction(connection, Transaction::Kind::kMigration);
  const auto row = read_row(connection.session());
  if (row && !row->sealed_key.empty()) return unseal(*row, key, connection.name());
  MUSTER_TRY(auto authority, authority_of_folder(connection, row, folder, unix_seconds));
  const auto credentials = authority.credentials();
  if (row && !key) return authority;
  if (!key && !std::filesystem::exists(certificate_in(folder))) {
    MUSTER_TRY_STATUS(write_authority(folder, authority.credentials()));
  }
  write_row(connection.session(),
            {credentials.certificate, key ? key->seal(credentials.key) : std::string()});
  MUSTER_TRY_STATUS(connection.still_there());
  transaction.commit();
  return authority;
}

}  // namespace

Result<std::string> read_key_file(const Path& folder) {
  return read_file(key_in(folder), kMostBytes);
}

// The key is written first: a certificate without its key is what no crash leaves behind.
Status write_authority(const Path& folder, const identity::Credentials& credentials) {
  MUSTER_TRY_STATUS(write_file_atomically(key_in(folder), credentials.key));
  return write_file_atomically(certificate_in(folder), credentials.certificate, FileAccess::kUmask);
}

Result<identity::Authority> open_authority(const DatabaseAddress& address, const Path& folder,
                                           const std::optional<identity::PoolKey>& key,
                                           int64_t unix_seconds) {
  const auto connection = Connection::to(address);
  MUSTER_TRY_STATUS(connection->open());
  MUSTER_TRY_STATUS(bring_up_to_date(*connection));
  try {
    return open_in(*connection, folder, key, unix_seconds);
  } catch (const std::exception& error) {
    return fail(connection->passes(error) ? Code::kUnavailable : Code::kDisk,
                connection->name() + ": " + reason_of(error));
  }
}

}  // namespace muster::io
