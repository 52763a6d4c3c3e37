#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "roles/role.h"
#include "roles/server/local_token.h"
#include "roles/server/write_ids.h"

namespace muster::roles::server {

// What lets somebody in for the first time: rows in the database, of each token's secret only the
// hash. Whoever is let in has a certificate that names the token, and is in for as long as that is
// not revoked, though it may have expired or be spent.
//
// Nothing is answered before what it rests on is written: that a token was made, used or revoked.
// What could not be written is said to whoever asked, who asks again; a revocation counts from the
// moment it was asked for.
//
// Invariants: each row has a hash of its own; one with a number of uses has as many machines as
// were let in, and no more than that number.
class Tokens {
 public:
  static constexpr size_t kMost = 10'000;  // Then one that let nobody in has to go for a new one.
  static constexpr size_t kMostListed = 500;
  static constexpr uint32_t kMostUses = 1000;
  static constexpr uint64_t kMostSeconds = 10L * 365 * 86'400;

  Tokens(std::vector<LocalToken> local, WriteIds& ids) : local_(std::move(local)), ids_(ids) {}
  // As it was written by a server before.
  void restore(pb::TokenRow row);

  // ---- Calls, answered at once or when it is written. `now_ms` is Unix time.

  // Somebody asks for a certificate: by a token, or again by the one that he had.
  void admit(int64_t now_ms, const pb::Envelope& call, Effects& effects);
  void create(int64_t now_ms, const pb::Envelope& call, Effects& effects);
  void revoke(int64_t now_ms, const pb::Envelope& call, Effects& effects);
  [[nodiscard]] pb::TokenList list(int64_t now_ms, const pb::ListTokens& call) const;

  // ---- A row was written, or not.

  struct Settled {
    std::string revoked;  // The id of the token that is so by this; empty: none is.
  };
  // None: it was no row of a token.
  std::optional<Settled> settle(const Stored& stored, Effects& effects);
  [[nodiscard]] size_t writing() const { return writes_.size(); }

  // ---- How things stand.

  // kPermission: by this token nobody is in any more.
  [[nodiscard]] Status may_be_here(const pb::Holder& holder) const;
  // Looks at all of it (checked).
  void check() const;

 private:
  struct Write {
    std::string id;
    pb::Envelope when_done, otherwise;  // Answers; `to` unset: nobody waits.
    bool revokes = false, creates = false;
  };
  // What his certificate may say, and the row that is to be written first; null: none is.
  struct Entry {
    pb::Holder holder;
    pb::TokenRow* used = nullptr;
  };
  Result<Entry> find_entry(int64_t now_ms, const pb::Join& join);
  [[nodiscard]] std::string unused(int64_t now_ms) const;
  void write(Write write, Effects& effects, const std::string& dropped = "");

  std::vector<LocalToken> local_;
  WriteIds& ids_;
  std::map<std::string, pb::TokenRow> rows_;  // By id; as they were asked to be written last.
  std::map<WriteId, Write> writes_;
};

}  // namespace muster::roles::server
