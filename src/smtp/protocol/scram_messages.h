// SPDX-License-Identifier: Apache-2.0
// The four messages of a SCRAM-SHA-256 exchange as its server reads and writes them, and the proofs
// in them (RFC 5802 sections 3, 5 and 7, RFC 7677). No channel binding. Who is who, and what is
// answered in which order, is sasl_server.h's matter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mail/scram_secrets.h"

namespace todoku::smtp {

inline constexpr std::size_t kScramNonceOctetsMax = 256;

// n,a=authzid,n=user,r=nonce
struct ScramClientFirst {
  std::string gs2_header;  // "n,a=authzid,"; comes again, in base64, in the final message
  std::string authzid;     // without =2C and =3D
  std::string user;        // as well
  std::string nonce;       // printable ASCII without comma
  std::string bare;        // the message after the header
};

// Errors: invalid_input with the reason (also 'p' and 'm=': what they ask for is not there).
// Extensions after the nonce are ignored.
[[nodiscard]] Result<ScramClientFirst> parse_scram_client_first(std::string_view message);

// c=header,r=nonce,p=proof
struct ScramClientFinal {
  std::string gs2_header;
  std::string nonce;
  Sha256 proof{};
  std::string without_proof;  // the message up to ",p="
};

// Errors: as above.
[[nodiscard]] Result<ScramClientFinal> parse_scram_client_final(std::string_view message);

// r=nonce,s=salt,i=iterations
[[nodiscard]] std::string scram_server_first(std::string_view nonce, const ScramSecrets& secrets);

// Whether the client has shown that it knows the password. `auth_message`: the first message's bare
// part, the server's first message and the final message without its proof, joined by commas. The
// time it takes tells nothing.
[[nodiscard]] bool scram_proof_matches(const ScramSecrets& secrets, std::string_view auth_message,
                                       const Sha256& proof);
// v=signature: that the server knows the password as well.
[[nodiscard]] std::string scram_server_final(const ScramSecrets& secrets,
                                             std::string_view auth_message);

}  // namespace todoku::smtp
