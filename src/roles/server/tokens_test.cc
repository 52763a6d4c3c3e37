#include "roles/server/tokens.h"

#include <gtest/gtest.h>

#include "wire/failure.h"
#include "wire/pool_role.h"

namespace muster::roles::server {
namespace {

constexpr int64_t kNow = 1'800'000'000'000, kHourMs = 3'600'000;

// Calls of one operator, whose database does what it is told.
class TokensTest : public testing::Test {
 protected:
  static std::string id_of(int number) {
    std::string id = std::to_string(number);
    return std::string(16 - id.size(), '0') + id;
  }
  static std::string hash_of(const std::string& id) { return std::string(sha256(id).view()); }

  static pb::Envelope call_of(const std::string& client) {
    pb::Envelope call = envelope_to_server();
    *call.mutable_from() = address(pb::ROLE_CLIENT, client);
    *call.mutable_holder() = make_holder(pb::POOL_ROLE_OPERATOR, "boss");
    return call;
  }
  static pb::Envelope join(const std::string& id, const std::string& machine,
                           pb::PoolRole role = pb::POOL_ROLE_WORKER,
                           const std::string& owner = "") {
    pb::Envelope call = call_of("door");
    *call.mutable_join()->mutable_holder() = make_holder(role, owner, id);
    call.mutable_join()->set_token_hash(hash_of(id));
    call.mutable_join()->set_machine(machine);
    return call;
  }
  static pb::Envelope making(int number, pb::PoolRole role = pb::POOL_ROLE_WORKER,
                             uint32_t uses = 0) {
    pb::Envelope call = call_of("boss");
    pb::CreateToken& asked = *call.mutable_create_token();
    asked.set_id(id_of(number));
    asked.set_hash(hash_of(id_of(number)));
    asked.set_role(role);
    asked.set_owner("lab");
    asked.set_uses(uses);
    asked.set_ttl_s(3600);
    return call;
  }

  // What it is answered once what it rests on is written, or was not.
  pb::Envelope answered(Outcome outcome = Outcome::kDone) {
    for (const Commit& commit : std::exchange(effects_.commits, {})) {
      EXPECT_TRUE(effects_.send.empty()) << "answered before it is written";
      last_ = tokens_.settle({commit.id, outcome, ""}, effects_);
      EXPECT_TRUE(last_);
    }
    EXPECT_EQ(effects_.send.size(), 1u);
    tokens_.check();
    return std::exchange(effects_.send, {}).at(0).envelope;
  }
  pb::CreateTokenReply create(const pb::Envelope& call, Outcome outcome = Outcome::kDone) {
    tokens_.create(kNow, call, effects_);
    return answered(outcome).create_token_reply();
  }
  pb::JoinReply admit(const pb::Envelope& call, int64_t now = kNow,
                      Outcome outcome = Outcome::kDone) {
    tokens_.admit(now, call, effects_);
    return answered(outcome).join_reply();
  }
  pb::RevokeTokenReply revoke(const std::string& id, Outcome outcome = Outcome::kDone) {
    pb::Envelope call = call_of("boss");
    call.mutable_revoke_token()->set_id(id);
    tokens_.revoke(kNow + 1, call, effects_);
    return answered(outcome).revoke_token_reply();
  }
  static Code code_of(const pb::Failure& failure) { return to_error(failure).code; }

  WriteIds ids_;
  Tokens tokens_{
      {{hash_of("local"), pb::POOL_ROLE_OPERATOR}, {hash_of("local-worker"), pb::POOL_ROLE_WORKER}},
      ids_};
  Effects effects_;
  std::optional<Tokens::Settled> last_;
};

TEST_F(TokensTest, TheServersOwnIsGoodForEveryRoleAndOwner) {
  for (const auto role : {pb::POOL_ROLE_WORKER, pb::POOL_ROLE_COORDINATOR, pb::POOL_ROLE_RESEARCHER,
                          pb::POOL_ROLE_OPERATOR}) {
    const auto holder = admit(join("local", "m", role, "lab")).holder();
    EXPECT_EQ(holder.role(), role);
    EXPECT_EQ(holder.owner(), "lab");
  }
  EXPECT_EQ(admit(join("local", "m", pb::POOL_ROLE_UNSPECIFIED)).holder().role(),
            pb::POOL_ROLE_OPERATOR);
  EXPECT_EQ(code_of(admit(join("local", "m", static_cast<pb::PoolRole>(99))).failure()),
            Code::kPermission);
}

TEST_F(TokensTest, AServerLeavesOneForMachinesThatIsGoodForNothingElse) {
  EXPECT_EQ(admit(join("local-worker", "m", pb::POOL_ROLE_WORKER)).holder().role(),
            pb::POOL_ROLE_WORKER);
  for (const auto role : {pb::POOL_ROLE_COORDINATOR, pb::POOL_ROLE_OPERATOR,
                          pb::POOL_ROLE_RESEARCHER, pb::POOL_ROLE_UNSPECIFIED}) {
    EXPECT_EQ(code_of(admit(join("local-worker", "m", role)).failure()), Code::kPermission);
  }
}

TEST_F(TokensTest, AnUnknownOneIsGoodForNothing) {
  EXPECT_EQ(code_of(admit(join("other", "m")).failure()), Code::kPermission);
  auto empty = join("", "m");
  empty.mutable_join()->set_token_hash("");
  EXPECT_EQ(code_of(admit(empty).failure()), Code::kPermission);
}

TEST_F(TokensTest, OneIsGoodForWhatItWasMadeForAndItsOwner) {
  EXPECT_EQ(create(making(1)).row().created_by(), "boss");
  const auto holder = admit(join(id_of(1), "m", pb::POOL_ROLE_WORKER, "somebody else")).holder();
  EXPECT_EQ(holder.role(), pb::POOL_ROLE_WORKER);
  EXPECT_EQ(holder.owner(), "lab") << "not whoever it says";
  EXPECT_EQ(holder.token(), id_of(1));
  const auto refused = admit(join(id_of(1), "m", pb::POOL_ROLE_COORDINATOR));
  EXPECT_EQ(code_of(refused.failure()), Code::kPermission);
  EXPECT_EQ(refused.failure().message(), "this token is a worker's, and not for a coordinator");
}

TEST_F(TokensTest, AMachinesIsNoPersonsAndNotSpentByOne) {
  create(making(1, pb::POOL_ROLE_WORKER, 1));
  EXPECT_EQ(admit(join(id_of(1), "p", pb::POOL_ROLE_UNSPECIFIED)).failure().message(),
            "this token is a worker's: it is for 'muster worker'");
  EXPECT_FALSE(admit(join(id_of(1), "m")).has_failure());
  create(making(2, pb::POOL_ROLE_RESEARCHER));
  EXPECT_EQ(admit(join(id_of(2), "p", pb::POOL_ROLE_UNSPECIFIED)).holder().role(),
            pb::POOL_ROLE_RESEARCHER);
}

TEST_F(TokensTest, ItsIdAloneLetsNobodyIn) {
  create(making(1));
  auto guess = join(id_of(1), "m");
  guess.mutable_join()->set_token_hash(hash_of("a guess"));
  EXPECT_EQ(code_of(admit(guess).failure()), Code::kPermission);
}

TEST_F(TokensTest, WithoutAnOwnerItsMachinesAreOfOneThatNobodyElseIs) {
  auto call = making(1);
  call.mutable_create_token()->clear_owner();
  create(call);
  EXPECT_EQ(admit(join(id_of(1), "a", pb::POOL_ROLE_WORKER, "x")).holder().owner(),
            "token-00000000");
}

TEST_F(TokensTest, ItIsSpentWhenAsManyAreInAsItIsForAndTheyMayComeAgain) {
  create(making(1, pb::POOL_ROLE_WORKER, 2));
  for (const char* machine : {"a", "b", "a", "b"}) {
    EXPECT_FALSE(admit(join(id_of(1), machine)).has_failure()) << machine;
  }
  EXPECT_EQ(admit(join(id_of(1), "c")).failure().message(),
            "this token is spent, it was for 2 uses: ask for another one");
}

TEST_F(TokensTest, WhatCouldNotBeWrittenIsNotAnsweredAsIfItWere) {
  for (const Outcome outcome : {Outcome::kFailed, Outcome::kUnknown}) {
    EXPECT_EQ(code_of(create(making(1), outcome).failure()), Code::kTryLater);
    EXPECT_EQ(code_of(admit(join(id_of(1), "m")).failure()), Code::kPermission)
        << "it is not there";
  }
  create(making(1, pb::POOL_ROLE_WORKER, 1));
  EXPECT_EQ(code_of(admit(join(id_of(1), "m"), kNow, Outcome::kFailed).failure()), Code::kTryLater);
  EXPECT_FALSE(admit(join(id_of(1), "m")).has_failure()) << "the use was this machine's";
  EXPECT_EQ(code_of(revoke(id_of(1), Outcome::kFailed).failure()), Code::kTryLater);
  EXPECT_EQ(last_->revoked, id_of(1)) << "it counts all the same";
}

TEST_F(TokensTest, OneThatIsMadeTwiceIsMadeOnce) {
  EXPECT_FALSE(create(making(1)).has_failure());
  EXPECT_FALSE(create(making(1)).has_failure()) << "its answer may have been lost";
  auto other = making(1);
  other.mutable_create_token()->set_hash(hash_of("another secret"));
  EXPECT_EQ(code_of(create(other).failure()), Code::kFailed);
}

TEST_F(TokensTest, OneThatHasExpiredLetsNobodyInAndWhoIsInStays) {
  create(making(1));
  const auto holder = admit(join(id_of(1), "m")).holder();
  EXPECT_EQ(code_of(admit(join(id_of(1), "n"), kNow + kHourMs).failure()), Code::kPermission);
  auto renewal = join("", "m");
  *renewal.mutable_join()->mutable_holder() = holder;
  renewal.mutable_join()->set_renewal(true);
  EXPECT_EQ(admit(renewal, kNow + 1000 * kHourMs).holder().owner(), "lab") << "as he was";
}

TEST_F(TokensTest, WhomARevokedOneLetInIsInNoMore) {
  create(making(1));
  create(making(21));
  const auto holder = admit(join(id_of(1), "m")).holder();
  EXPECT_TRUE(tokens_.may_be_here(holder));
  EXPECT_EQ(code_of(revoke("00000").failure()), Code::kInvalidArgument) << "two begin so";
  EXPECT_EQ(code_of(revoke("7").failure()), Code::kNotFound);
  EXPECT_EQ(code_of(revoke("").failure()), Code::kNotFound);
  EXPECT_EQ(revoke(id_of(1)).row().revoked_at_ms(), kNow + 1);
  EXPECT_EQ(last_->revoked, id_of(1));
  EXPECT_EQ(tokens_.may_be_here(holder).error().code, Code::kPermission);
  EXPECT_EQ(code_of(admit(join(id_of(1), "m")).failure()), Code::kPermission);
  auto renewal = join("", "m");
  *renewal.mutable_join()->mutable_holder() = holder;
  renewal.mutable_join()->set_renewal(true);
  EXPECT_EQ(code_of(admit(renewal).failure()), Code::kPermission);
  EXPECT_TRUE(tokens_.may_be_here(make_holder(pb::POOL_ROLE_WORKER, "", id_of(21))));
}

TEST_F(TokensTest, AUseBesideARevocationDoesNotUndoIt) {
  create(making(1));
  pb::Envelope call = call_of("boss");
  call.mutable_revoke_token()->set_id(id_of(1));
  tokens_.admit(kNow, join(id_of(1), "m"), effects_);
  tokens_.revoke(kNow, call, effects_);
  const auto& last = std::get<SaveToken>(effects_.commits.back().changes.at(0)).row;
  EXPECT_EQ(last.used(), 1u);
  EXPECT_NE(last.revoked_at_ms(), 0);
}

TEST_F(TokensTest, AsTheServerBeforeWroteThem) {
  const auto row = create(making(1, pb::POOL_ROLE_WORKER, 1)).row();
  Tokens next({}, ids_);
  next.restore(row);
  next.admit(kNow, join(id_of(1), "m"), effects_);
  EXPECT_EQ(effects_.commits.size(), 1u);
  Tokens other({}, ids_);
  other.restore(std::get<SaveToken>(effects_.commits.at(0).changes.at(0)).row);
  Effects effects;
  other.admit(kNow, join(id_of(1), "n"), effects);
  EXPECT_EQ(code_of(effects.send.at(0).envelope.join_reply().failure()), Code::kPermission);
}

TEST_F(TokensTest, AreBoundedAndOneThatWasOfNoUseMakesRoom) {
  for (size_t i = 0; i < Tokens::kMost; ++i) {
    pb::TokenRow row;
    row.set_id(id_of(static_cast<int>(i)));
    row.set_used(1);
    row.set_expires_at_ms(kNow + kHourMs);
    tokens_.restore(row);
  }
  EXPECT_EQ(code_of(create(making(20'000)).failure()), Code::kFailed);
  pb::TokenRow expired;
  expired.set_id(id_of(5));
  expired.set_expires_at_ms(kNow - 1);
  tokens_.restore(expired);
  tokens_.create(kNow, making(20'000), effects_);
  ASSERT_EQ(effects_.commits.at(0).changes.size(), 2u);
  EXPECT_EQ(std::get<DropToken>(effects_.commits.at(0).changes.at(1)).id, id_of(5));
  EXPECT_FALSE(answered().create_token_reply().has_failure());
}

TEST_F(TokensTest, AreListedTheNewestFirstWithoutThoseThatLetNobodyIn) {
  create(making(1, pb::POOL_ROLE_WORKER, 1));
  admit(join(id_of(1), "m"));
  tokens_.create(kNow + 1, making(2), effects_);
  answered();
  tokens_.create(kNow + 2, making(3), effects_);
  answered();
  pb::ListTokens call;
  auto list = tokens_.list(kNow + 3, call);
  ASSERT_EQ(list.rows_size(), 2);
  EXPECT_EQ(list.rows(0).id(), id_of(3));
  call.set_all(true);
  list = tokens_.list(kNow + 3, call);
  EXPECT_EQ(list.in_all(), 3u);
  EXPECT_EQ(list.rows(2).used(), 1u);
  EXPECT_EQ(list.rows(2).machines_size(), 0);
}

TEST_F(TokensTest, WhatIsNoTokenIsNotMade) {
  struct Case {
    const char* what;
    void (*change)(pb::CreateToken&);
  };
  const Case cases[] = {
      {"an id that is none", [](pb::CreateToken& asked) { asked.set_id("a,URI:x"); }},
      {"no hash", [](pb::CreateToken& asked) { asked.clear_hash(); }},
      {"for nobody", [](pb::CreateToken& asked) { asked.clear_role(); }},
      {"too many uses", [](pb::CreateToken& asked) { asked.set_uses(1001); }},
      {"no time", [](pb::CreateToken& asked) { asked.set_ttl_s(0); }},
      {"for ever", [](pb::CreateToken& asked) { asked.set_ttl_s(UINT64_MAX); }},
  };
  for (const Case& c : cases) {
    auto call = making(1);
    c.change(*call.mutable_create_token());
    EXPECT_EQ(code_of(create(call).failure()), Code::kInvalidArgument) << c.what;
  }
}

}  // namespace
}  // namespace muster::roles::server
