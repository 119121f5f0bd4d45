// SPDX-License-Identifier: Apache-2.0
// SaslClient: one authentication exchange as the client (RFC 4954) as a pure state machine:
// SCRAM-SHA-256 (RFC 5802, RFC 7677) without channel binding, PLAIN (RFC 4616) and LOGIN, the first
// of them that the server offers. By SCRAM the server is not told the password and has to prove
// that it knows it; by the others it is told, so they are for TLS only, which is the owner's to see
// to.
//
//   SaslClient sasl(login, to_base64(random_octets(18)));   // one for each exchange
//   sasl.begin(capabilities.auth)  -> "AUTH ..."; then for each reply
//     334: sasl.respond(text)      -> the next line
//     235: sasl.finish()           -> it is over; any other: the server has refused
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"
#include "mail/client_login.h"

namespace todoku::smtp {

// Which iterations a server may ask for: they are computed on the thread of the connection, some
// 30 ms for the most.
inline constexpr std::uint32_t kScramClientIterationsMin = 4096;  // RFC 7677 section 4
inline constexpr std::uint32_t kScramClientIterationsMax = 100'000;

class SaslClient {
 public:
  // `nonce`: as SaslServer's. The login outlives it.
  SaslClient(const ClientLogin& login, std::string nonce);

  // The first command, without CRLF. `offered`: mechanisms in upper case. Errors: unavailable (none
  // of them is known; the detail names them).
  [[nodiscard]] Result<std::string> begin(std::span<const std::string> offered);
  // The next line, without CRLF, for the text of a 334. Errors: corrupt (it is none of the
  // exchange's), unauthorized (the server does not know the password); the exchange is to be
  // cancelled with "*".
  [[nodiscard]] Result<std::string> respond(std::string_view challenge);
  // After a 235. Errors: unauthorized (by SCRAM, a server that has proven nothing).
  [[nodiscard]] Result<void> finish() const;

  // "SCRAM-SHA-256", "PLAIN", "LOGIN"; empty before begin().
  [[nodiscard]] std::string_view mechanism() const;

 private:
  enum class Mechanism : std::uint8_t { none, scram, plain, login };
  enum class Expects : std::uint8_t {
    plain,  // an empty challenge, from a server that takes no initial response
    login_user,
    login_password,
    scram_first,
    scram_final,
    nothing,
  };

  [[nodiscard]] Result<std::string> plain_message() const;
  [[nodiscard]] Result<std::string> scram_proof(std::string_view server_first);
  [[nodiscard]] Result<std::string> scram_end(std::string_view server_final);

  const ClientLogin& login_;
  const std::string nonce_;
  Mechanism mechanism_ = Mechanism::none;
  Expects expects_ = Expects::nothing;
  std::string client_first_bare_;
  std::string server_signature_;  // that the server has to show
  bool proven_ = false;
};

}  // namespace todoku::smtp
