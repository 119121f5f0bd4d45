// SPDX-License-Identifier: Apache-2.0
// What a verifier reads: a key record's text (RFC 6376 section 3.6.1, RFC 8463 section 4) and the
// answer of a look-up as a value that can be cached and shared between threads.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/types.h>

#include "base/result.h"
#include "mailauth/dkim/key.h"

namespace todoku::mailauth::dkim {

struct KeyRecord {
  KeyAlgorithm algorithm = KeyAlgorithm::rsa;
  std::shared_ptr<EVP_PKEY> key;  // null: revoked (p= is empty)
  // Of RSA, made ready to verify PKCS#1 v1.5 over SHA-256 (RFC 8301): each verification takes a
  // copy of it, which costs a hundredth of making one. Null: OpenSSL verifies nothing by this key.
  std::shared_ptr<const EVP_PKEY_CTX> rsa_verifying;
  int bits = 0;                 // RSA: modulus; Ed25519: 256; revoked: 0
  bool testing = false;         // t=y: the domain only tries DKIM
  bool exact_identity = false;  // t=s: i= must be of the very domain of d=
  bool for_email = true;        // s= names email or *
  bool accepts_sha256 = true;   // h= absent or names sha256

  [[nodiscard]] bool revoked() const { return key == nullptr; }
};

// Reads the joined text of one TXT record. Unknown tags and flags are ignored, as section 3.6.1
// asks. Errors: invalid_input (not a key record, or its key cannot be read), unsupported (k= names
// another kind of key).
[[nodiscard]] Result<KeyRecord> parse_key_record(std::string_view text);

// What a verifier minds in a key, whatever signature names it (RFC 6376 section 6.1.2, RFC 8301).
enum class KeyFault : std::uint8_t {
  revoked,
  not_for_email,  // s=
  no_sha256,      // h=
  too_short,      // RSA of fewer than the bits that are asked for
  too_long,       // RSA of more than kRsaBitsMax
};

// The first fault, in that order; nullopt: there is none. `rsa_bits_min`: in bits.
[[nodiscard]] std::optional<KeyFault> fault_of(const KeyRecord& record,
                                               int rsa_bits_min = kRsaBitsMin);

// How a look-up of the TXT records at KeyName::lookup_name() ended. A cheap value to copy.
class KeyAnswer {
 public:
  enum class Status : std::uint8_t {
    found,        // there are TXT records
    absent,       // no such name, or no TXT record there
    unavailable,  // the DNS did not answer: try again later
  };

  // `texts`: every TXT record at the name, each with its strings joined. None means absent.
  [[nodiscard]] static KeyAnswer from_texts(const std::vector<std::string>& texts);
  [[nodiscard]] static KeyAnswer absent() { return {Status::absent, {}}; }
  [[nodiscard]] static KeyAnswer unavailable(std::string reason) {
    return {Status::unavailable, std::move(reason)};
  }

  [[nodiscard]] Status status() const { return status_; }
  // found: the readable records, at most kRecordsMax of them.
  [[nodiscard]] const std::vector<KeyRecord>& records() const { return *records_; }
  // found, no readable record: what is wrong with the first. unavailable: why.
  [[nodiscard]] const std::string& reason() const { return reason_; }

  // RFC 6376 section 3.6.2.2 leaves several records undefined; trying a few forgives a domain that
  // is changing its key.
  static constexpr std::size_t kRecordsMax = 4;

 private:
  KeyAnswer(Status status, std::string reason)
      : status_(status),
        records_(std::make_shared<const std::vector<KeyRecord>>()),
        reason_(std::move(reason)) {}

  Status status_;
  std::shared_ptr<const std::vector<KeyRecord>> records_;
  std::string reason_;
};

}  // namespace todoku::mailauth::dkim
