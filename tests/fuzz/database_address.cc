// The address of a database (io/database/address.h), as an operator writes it. What is shown of one
// leads to the same place, and shows no password; nor does what is said of one that is none.
#include "io/database/address.h"

#include "base/check.h"
#include "target.h"

namespace muster::fuzz {

void run(std::string_view input) {
  static const std::string kSecret = "kept-to-itself";
  const auto address = io::DatabaseAddress::parse(std::string(input));
  if (!address) {
    MUSTER_CHECK(address.error().code == Code::kInvalidArgument);
  } else if (address->is_postgres()) {
    const auto again = io::DatabaseAddress::parse(address->text());
    MUSTER_CHECK(again && again->is_postgres() && again->text() == address->text());
  }
  if (input.find("kept") != std::string_view::npos) return;
  const auto with =
      io::DatabaseAddress::parse("postgresql://me:" + kSecret + "@" + std::string(input));
  MUSTER_CHECK((with ? with->text() : with.error().message).find(kSecret) == std::string::npos);
}

std::vector<std::string> seeds() {
  return {"/var/lib/muster/server.db", "postgresql://ada:word@db.lab:6432/pool?connect_timeout=20",
          "postgres://ada@/pool?host=/run/pg&sslmode=require", "postgresql://[::1]:5432/pool",
          "postgresql://a:1,b:2/pool?target_session_attrs=read-write"};
}

std::vector<std::string> words() {
  return {"postgresql://", "postgres://", "host=", "port=", "user=", "dbname=", "&", "?",
          "%40",           "[",           "]",     ":",     ",",     "@"};
}

}  // namespace muster::fuzz
