// SPDX-License-Identifier: Apache-2.0
// What a thread needs again and again while it signs: digest contexts, prepared keys, buffers, and
// the signatures that are begun. A Signer uses it; others only keep it.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "mailauth/dkim/canonical.h"
#include "mailauth/dkim/key.h"
#include "mailauth/dkim/openssl_ptr.h"
#include "mailauth/dkim/rsa_by_eight.h"

namespace todoku::mailauth::dkim {

// Not thread-safe: one per thread. Memory: a few kilobytes, and about 8 KB, with RSA by eight 15,
// for each of the at most kKeysMax keys that were used last.
class SigningContext {
 public:
  static constexpr std::size_t kKeysMax = 64;
  // Signatures that are computed in one go, and how many of them make that worthwhile.
  static constexpr std::size_t kTogetherMax = 8;
  static constexpr std::size_t kTogetherWorthwhile = 5;

  // Null: OpenSSL makes all signatures.
  explicit SigningContext(std::shared_ptr<RsaByEight> by_eight = nullptr);
  SigningContext(const SigningContext&) = delete;
  SigningContext& operator=(const SigningContext&) = delete;
  ~SigningContext();

  // Whether signatures of this key that are begun together are computed together: those of
  // RSA-2048, while RSA by eight is on.
  [[nodiscard]] bool computes_together(const SigningKey& key) const;

  // SHA-256 of the relaxed canonical form of the body whose octets are the pieces joined, wherever
  // they are cut. For a body that arrives in slices use a BodyHasher of its own.
  [[nodiscard]] BodyHash body_hash(std::span<const std::string_view> pieces) {
    return body_hasher_.hash(pieces);
  }

 private:
  friend class Signer;
  friend class BegunSignatures;
  struct PreparedKey;

  // A hash to be signed, and then its signature.
  struct Request {
    SigningKey key;
    std::string key_name;  // for the log
    std::array<std::uint8_t, 32> hash{};
    std::array<std::uint8_t, kRsaBitsMax / 8> signature{};
    std::size_t size = 0;  // of the signature; 0: there is none, see `error`
    std::string error;
  };
  // Names a request while its round lasts.
  struct Ticket {
    std::uint64_t round = 0;
    std::size_t index = 0;
  };

  // Requests between two computations are one round: the first signature that is asked for makes
  // all of them, the next request after that begins a new round and ends the old one.
  [[nodiscard]] Ticket request(const SigningKey& key, std::string_view key_name,
                               std::span<const std::uint8_t, 32> hash);
  // Errors: unavailable (OpenSSL is out of memory).
  [[nodiscard]] Result<std::string_view> signature(Ticket ticket);

  void compute();
  // Both make what they can together; the rest still has size 0. At most kTogetherMax requests.
  void compute_by_eight();
  void compute_eight(std::span<Request* const> requests);
  void compute_with_openssl(Request& request);
  // Null with a reason in the request: OpenSSL is out of memory.
  [[nodiscard]] PreparedKey* prepared(Request& request);

  const std::shared_ptr<RsaByEight> by_eight_;
  BodyHasher body_hasher_;
  DigestContextPtr header_digest_;
  std::vector<PreparedKey> keys_;
  std::uint64_t uses_ = 0;
  std::vector<Request> requests_;  // the first request_count_ are of this round
  std::size_t request_count_ = 0;
  std::uint64_t round_ = 1;
  bool computed_ = false;
  std::string canonical_;     // the signed fields
  std::string signed_names_;  // the value of h= and a ";", unfolded
  std::string own_;           // our field, canonical
};

}  // namespace todoku::mailauth::dkim
