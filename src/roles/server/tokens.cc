#include "roles/server/tokens.h"

#include <algorithm>

#include "base/check.h"
#include "base/digest.h"
#include "base/hex.h"
#include "base/probe.h"
#include "roles/server/client_replies.h"
#include "wire/failure.h"
#include "wire/pool_role.h"
#include "wire/short_id.h"

namespace muster::roles::server {
namespace {

constexpr size_t kIdDigits = 16;
const Error kAway{Code::kTryLater, "the server's database does not answer; try again"};

bool has_machine(const pb::TokenRow& row, const std::string& machine) {
  const auto& machines = row.machines();
  return std::find(machines.begin(), machines.end(), machine) != machines.end();
}

// Nobody more is let in by it.
bool is_over(const pb::TokenRow& row, int64_t now_ms) {
  return row.revoked_at_ms() != 0 || row.expires_at_ms() <= now_ms ||
         (row.uses() != 0 && row.used() >= row.uses());
}

pb::Envelope join_reply(const pb::Envelope& call, const Result<pb::Holder>& holder) {
  pb::Envelope reply = to_client(call.from().machine());
  if (holder) {
    *reply.mutable_join_reply()->mutable_holder() = *holder;
  } else {
    *reply.mutable_join_reply()->mutable_failure() = to_failure(holder.error());
  }
  return reply;
}

// What its certificate says, by a token that is for `has`. An operator says whose a machine is.
Result<pb::Holder> holder_of(const pb::Holder& wanted, const pb::Holder& has) {
  pb::Holder holder = has;
  const std::string word(to_word(has.role()));
  if (wanted.role() == pb::POOL_ROLE_UNSPECIFIED) {
    if (!is_node(has.role())) return holder;
    return fail(Code::kPermission,
                "this token is a " + word + "'s: it is for 'muster " + word + "'");
  }
  if (!may_become(wanted.role(), has.role())) {
    return fail(Code::kPermission, "this token is a " + word + "'s, and not for a " +
                                       std::string(to_word(wanted.role())));
  }
  holder.set_role(wanted.role());
  const bool may_say = has.role() == pb::POOL_ROLE_OPERATOR && !wanted.owner().empty();
  if (may_say) holder.set_owner(wanted.owner());
  return holder;
}

Status check_new(const pb::CreateToken& asked) {
  if (!is_hex(asked.id(), kIdDigits) || !Digest::from_bytes(asked.hash())) {
    return fail(Code::kInvalidArgument, "a token has an id of 16 hex digits and a SHA-256");
  }
  if (to_word(asked.role()).empty()) {
    return fail(Code::kInvalidArgument, "this server does not know what such a token is for");
  }
  if (asked.uses() > Tokens::kMostUses) {
    return fail(Code::kInvalidArgument, "a token has " + std::to_string(Tokens::kMostUses) +
                                            " uses at most, or any number (0)");
  }
  if (asked.ttl_s() == 0 || asked.ttl_s() > Tokens::kMostSeconds) {
    return fail(Code::kInvalidArgument, "a token is good for ten years at most");
  }
  return {};
}

}  // namespace

void Tokens::restore(pb::TokenRow row) {
  const std::string id = row.id();
  rows_[id] = std::move(row);
}

void Tokens::admit(int64_t now_ms, const pb::Envelope& call, Effects& effects) {
  const auto entry = find_entry(now_ms, call.join());
  if (!entry) return effects.send.push_back({join_reply(call, fail(entry.error()))});
  if (entry->used == nullptr) return effects.send.push_back({join_reply(call, entry->holder)});
  pb::TokenRow& row = *entry->used;
  const std::string& machine = call.join().machine();
  if (row.uses() == 0 || !has_machine(row, machine)) {
    row.set_used(row.used() + 1);
    if (row.uses() != 0) row.add_machines(machine);
  }
  write({row.id(), join_reply(call, entry->holder), join_reply(call, fail(kAway))}, effects);
}

Result<Tokens::Entry> Tokens::find_entry(int64_t now_ms, const pb::Join& join) {
  if (join.renewal()) {
    MUSTER_TRY_STATUS(may_be_here(join.holder()));
    return Entry{join.holder()};
  }
  pb::Holder has;
  has.set_token(join.holder().token());
  for (const LocalToken& local : local_) {
    if (local.hash != join.token_hash()) continue;
    has.set_role(local.role);
    has.set_owner(local.owner);
    MUSTER_TRY(pb::Holder holder, holder_of(join.holder(), has));
    return Entry{std::move(holder)};
  }
  const auto found = rows_.find(has.token());
  if (found == rows_.end() || found->second.hash() != join.token_hash()) {
    return fail(Code::kPermission, "the server does not know this token: ask for another one");
  }
  pb::TokenRow& row = found->second;
  has.set_role(row.role());
  has.set_owner(row.owner());
  MUSTER_TRY_STATUS(may_be_here(has));
  if (row.expires_at_ms() <= now_ms) {
    return fail(Code::kPermission, "this token has expired: ask for another one");
  }
  const bool is_spent = row.uses() != 0 && row.used() >= row.uses();
  if (is_spent && !has_machine(row, join.machine())) {
    MUSTER_PROBE("a token is spent");
    return fail(Code::kPermission, "this token is spent, it was for " + std::to_string(row.uses()) +
                                       (row.uses() == 1 ? " use" : " uses") +
                                       ": ask for another one");
  }
  MUSTER_TRY(pb::Holder holder, holder_of(join.holder(), has));
  return Entry{std::move(holder), &row};
}

void Tokens::create(int64_t now_ms, const pb::Envelope& call, Effects& effects) {
  const pb::CreateToken& asked = call.create_token();
  const auto refuse = [&](const Error& error) {
    pb::Envelope reply = to_client(call.from().machine());
    *reply.mutable_create_token_reply()->mutable_failure() = to_failure(error);
    return reply;
  };
  if (const Status fits = check_new(asked); !fits) {
    return effects.send.push_back({refuse(fits.error())});
  }
  const auto known = rows_.find(asked.id());
  if (known != rows_.end() && known->second.hash() == asked.hash()) {  // Said again.
    pb::Envelope reply = to_client(call.from().machine());
    *reply.mutable_create_token_reply()->mutable_row() = known->second;
    return write({asked.id(), std::move(reply), refuse(kAway)}, effects);
  }
  if (known != rows_.end()) {
    return effects.send.push_back({refuse({Code::kFailed, "there is a token with this id"})});
  }
  const std::string dropped = rows_.size() < kMost ? "" : unused(now_ms);
  if (rows_.size() >= kMost && dropped.empty()) {
    return effects.send.push_back({refuse({Code::kFailed, "there are ten thousand tokens"})});
  }
  rows_.erase(dropped);
  pb::TokenRow& row = rows_[asked.id()];
  row.set_id(asked.id());
  row.set_hash(asked.hash());
  row.set_role(asked.role());
  // Votes of machines that one token let in are one owner's, whoever that is.
  const bool has_owner = !asked.owner().empty() || asked.role() == pb::POOL_ROLE_OPERATOR;
  row.set_owner(has_owner ? asked.owner() : "token-" + short_id(asked.id()));
  row.set_uses(asked.uses());
  row.set_created_at_ms(now_ms);
  row.set_expires_at_ms(now_ms + static_cast<int64_t>(asked.ttl_s()) * 1000);
  row.set_created_by(call.holder().owner());
  pb::Envelope reply = to_client(call.from().machine());
  *reply.mutable_create_token_reply()->mutable_row() = row;
  write({row.id(), std::move(reply), refuse(kAway), false, true}, effects, dropped);
}

// Of those that let nobody in, and never did, the one that was made first.
std::string Tokens::unused(int64_t now_ms) const {
  const pb::TokenRow* oldest = nullptr;
  for (const auto& [id, row] : rows_) {
    if (row.used() != 0 || !is_over(row, now_ms)) continue;
    if (oldest == nullptr || row.created_at_ms() < oldest->created_at_ms()) oldest = &row;
  }
  return oldest == nullptr ? "" : oldest->id();
}

void Tokens::revoke(int64_t now_ms, const pb::Envelope& call, Effects& effects) {
  const std::string& named = call.revoke_token().id();
  const auto refuse = [&](const Error& error) {
    pb::Envelope reply = to_client(call.from().machine());
    *reply.mutable_revoke_token_reply()->mutable_failure() = to_failure(error);
    return reply;
  };
  const auto first = named.empty() ? rows_.end() : rows_.lower_bound(named);
  if (first == rows_.end() || !first->first.starts_with(named)) {
    return effects.send.push_back({refuse({Code::kNotFound, "there is no such token"})});
  }
  if (const auto next = std::next(first); next != rows_.end() && next->first.starts_with(named)) {
    return effects.send.push_back(
        {refuse({Code::kInvalidArgument, "two tokens begin so: say more of its name"})});
  }
  pb::TokenRow& row = first->second;
  if (row.revoked_at_ms() == 0) row.set_revoked_at_ms(now_ms);
  pb::Envelope reply = to_client(call.from().machine());
  *reply.mutable_revoke_token_reply()->mutable_row() = row;
  reply.mutable_revoke_token_reply()->mutable_row()->clear_machines();
  write({row.id(), std::move(reply),
         refuse({Code::kTryLater,
                 "the database does not answer; until the server ends the token "
                 "counts as revoked: revoke it again"}),
         true},
        effects);
}

pb::TokenList Tokens::list(int64_t now_ms, const pb::ListTokens& call) const {
  std::vector<const pb::TokenRow*> wanted;
  for (const auto& [id, row] : rows_) {
    if (call.all() || !is_over(row, now_ms)) wanted.push_back(&row);
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const auto* a, const auto* b) { return a->created_at_ms() > b->created_at_ms(); });
  pb::TokenList list;
  list.set_in_all(wanted.size());
  for (const pb::TokenRow* row : wanted) {
    if (list.rows_size() == static_cast<int>(kMostListed)) break;
    *list.add_rows() = *row;
    list.mutable_rows()->rbegin()->clear_machines();
  }
  return list;
}

void Tokens::write(Write write, Effects& effects, const std::string& dropped) {
  const WriteId id = ids_.next();
  Commit commit{id, {SaveToken{rows_.at(write.id)}}};
  if (!dropped.empty()) commit.changes.emplace_back(DropToken{dropped});
  effects.commits.push_back(std::move(commit));
  writes_.emplace(id, std::move(write));
}

std::optional<Tokens::Settled> Tokens::settle(const Stored& stored, Effects& effects) {
  auto found = writes_.extract(stored.id);
  if (found.empty()) return std::nullopt;
  Write& write = found.mapped();
  const bool done = stored.outcome == Outcome::kDone;
  if (write.creates && !done) rows_.erase(write.id);  // Nobody was told its secret.
  effects.send.push_back({std::move(done ? write.when_done : write.otherwise)});
  if (!write.revokes) return Settled{};
  effects.note("token " + short_id(write.id) + " is revoked");
  return Settled{write.id};
}

Status Tokens::may_be_here(const pb::Holder& holder) const {
  const auto found = rows_.find(holder.token());
  if (found == rows_.end() || found->second.revoked_at_ms() == 0) return {};
  return fail(Code::kPermission, "the token that let it in was revoked");
}

void Tokens::check() const {
  for (const auto& [id, row] : rows_) {
    MUSTER_CHECK(row.id() == id);
    if (row.uses() == 0) continue;
    MUSTER_CHECK(row.used() <= row.uses());
    MUSTER_CHECK(static_cast<uint64_t>(row.machines_size()) == row.used());
  }
}

}  // namespace muster::roles::server
