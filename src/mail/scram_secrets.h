// SPDX-License-Identifier: Apache-2.0
// What is kept of a password: enough to recognise it by SCRAM-SHA-256 (RFC 5802, RFC 7677) or when
// it is said in clear, too little to say it oneself.
//
//   SaltedPassword = PBKDF2-HMAC-SHA-256(saslprep(password), salt, iterations)
//   StoredKey      = SHA-256(HMAC(SaltedPassword, "Client Key"))
//   ServerKey      = HMAC(SaltedPassword, "Server Key")
//
// In one line (the form of RFC 5803 section 2), binary parts in base64:
//   SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace todoku {

// RFC 7677 section 4: at least 4096. A password of ours is random and long, so more iterations
// would cost every connection and protect nothing.
inline constexpr std::uint32_t kScramIterationsMin = 4096;
inline constexpr std::uint32_t kScramIterations = 10'000;
inline constexpr std::uint32_t kScramIterationsMax = 1'000'000;
inline constexpr std::size_t kScramSaltOctets = 16;  // that a new one should have
inline constexpr std::size_t kScramSaltOctetsMax = 64;
inline constexpr std::size_t kPasswordOctetsMax = 1024;

// Its keys are wiped when it goes.
struct ScramSecrets {
  ScramSecrets() = default;
  ScramSecrets(const ScramSecrets&) = default;
  ScramSecrets& operator=(const ScramSecrets&) = default;
  ~ScramSecrets();

  // Of a password of 1 to kPasswordOctetsMax octets, with a random salt (base/digest.h,
  // random_octets) of 1 to kScramSaltOctetsMax and kScramIterationsMin to kScramIterationsMax
  // iterations. Who keeps two passwords of one user for a time gives both the same salt and
  // iterations: an exchange can name only one salt. Costs as matches(). Errors: invalid_input.
  [[nodiscard]] static Result<ScramSecrets> from_password(
      std::string_view password, std::string salt, std::uint32_t iterations = kScramIterations);

  // Reads what to_string() writes, within the same bounds. Errors: corrupt; no detail holds any of
  // the text.
  [[nodiscard]] static Result<ScramSecrets> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  // Whether this is the password. Takes as long whether it is or not: two SHA-256 blocks for each
  // iteration, some milliseconds of one core for kScramIterations; nothing for the thread of an
  // event loop that is busy.
  [[nodiscard]] bool matches(std::string_view password) const;

  friend bool operator==(const ScramSecrets&, const ScramSecrets&) = default;

  std::string salt;
  std::uint32_t iterations = 0;
  Sha256 stored_key{};
  Sha256 server_key{};
};

}  // namespace todoku
