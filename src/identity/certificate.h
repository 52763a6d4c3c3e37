#pragma once

#include <cstdint>
#include <string>

#include "base/digest.h"
#include "base/result.h"
#include "wire/pool_role.h"

namespace muster::identity {

// What a certificate of a pool says: whose it is by the key he has, what he may be, who let him in,
// and for how long that holds. Times are seconds since 1970.
struct Certificate {
  std::string public_key;  // Ed25519, as in a Hello.
  std::string machine;     // wire::machine_id() of that key.
  pb::Holder holder;       // With a role.
  int64_t not_before = 0, not_after = 0;
};

// Reads one that a pool's authority made for a node or a person. kDataLoss: it is none, or says
// something that no authority of a pool writes.
Result<Certificate> read_certificate(const std::string& pem);

// Whether the authority signed it; dates are not looked at. kPermission: another pool's.
Status check_issuer(const std::string& pem, const std::string& authority_pem);

// Whether it holds at this time: a sentence with both times, since a clock that is wrong is the
// likeliest reason. kPermission.
Status check_time(const Certificate& certificate, int64_t now);

// It should be renewed: a third of its time is left, or less.
bool is_renewal_due(const Certificate& certificate, int64_t now);

// SHA-256 of a certificate's DER bytes: how a token names its pool's authority. kDataLoss.
Result<Digest> fingerprint(const std::string& pem);

}  // namespace muster::identity
