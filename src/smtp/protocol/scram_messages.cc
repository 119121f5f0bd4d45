// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/scram_messages.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/wipe.h"

namespace todoku::smtp {
namespace {

std::unexpected<Error> bad(std::string_view why) {
  return fail(ErrorKind::invalid_input, std::string(why));
}

// What stands before the next comma, which is taken as well.
std::string_view take_part(std::string_view& text) {
  const std::size_t comma = std::min(text.find(','), text.size());
  const std::string_view part = text.substr(0, comma);
  text.remove_prefix(std::min(comma + 1, text.size()));
  return part;
}

// RFC 5802 section 5.1: a comma is =2C, an equals sign =3D, and nothing else follows one.
std::optional<std::string> scram_name(std::string_view text) {
  std::string name;
  while (!text.empty()) {
    if (text.front() != '=') {
      name += text.front();
      text.remove_prefix(1);
    } else if (text.starts_with("=2C") || text.starts_with("=3D")) {
      name += text[1] == '2' ? ',' : '=';
      text.remove_prefix(3);
    } else {
      return std::nullopt;
    }
  }
  return name;
}

bool is_nonce(std::string_view text) {
  return !text.empty() && text.size() <= kScramNonceOctetsMax &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~' && c != ','; });
}

}  // namespace

Result<ScramClientFirst> parse_scram_client_first(std::string_view message) {
  ScramClientFirst first;
  std::string_view rest = message;
  const std::string_view binding = take_part(rest);
  if (binding.starts_with("p=")) return bad("channel binding is not offered");
  if (binding != "n" && binding != "y") return bad("no GS2 header");
  const std::string_view authzid = take_part(rest);
  if (!authzid.empty()) {
    const auto name = scram_name(authzid.starts_with("a=") ? authzid.substr(2) : "=");
    if (!name || name->empty()) return bad("the authorization identity is none");
    first.authzid = *name;
  }
  first.gs2_header = message.substr(0, message.size() - rest.size());
  first.bare = rest;
  const std::string_view user = take_part(rest);
  if (user.starts_with("m=")) return bad("a mandatory extension is not known");
  const auto name = scram_name(user.starts_with("n=") ? user.substr(2) : "=");
  if (!name || name->empty()) return bad("no user name");
  first.user = *name;
  const std::string_view nonce = take_part(rest);
  if (!nonce.starts_with("r=") || !is_nonce(nonce.substr(2))) return bad("no nonce");
  first.nonce = nonce.substr(2);
  return first;
}

Result<ScramClientFinal> parse_scram_client_final(std::string_view message) {
  ScramClientFinal final;
  const std::size_t at = message.rfind(",p=");
  if (at == std::string_view::npos) return bad("no proof");
  const auto proof = from_base64(message.substr(at + 3));
  if (!proof || proof->size() != final.proof.size()) return bad("the proof is none");
  std::ranges::copy(as_octets(*proof), final.proof.begin());
  final.without_proof = message.substr(0, at);
  std::string_view rest = final.without_proof;
  const std::string_view binding = take_part(rest);
  auto header = from_base64(binding.starts_with("c=") ? binding.substr(2) : "?");
  if (!header) return bad("no GS2 header");
  final.gs2_header = std::move(*header);
  const std::string_view nonce = take_part(rest);
  if (!nonce.starts_with("r=") || !is_nonce(nonce.substr(2))) return bad("no nonce");
  final.nonce = nonce.substr(2);
  return final;
}

std::string scram_server_first(std::string_view nonce, const ScramSecrets& secrets) {
  return fmt::format("r={},s={},i={}", nonce, to_base64(secrets.salt), secrets.iterations);
}

// RFC 5802 section 3: ClientKey = ClientProof XOR HMAC(StoredKey, AuthMessage), and its hash is
// StoredKey.
bool scram_proof_matches(const ScramSecrets& secrets, std::string_view auth_message,
                         const Sha256& proof) {
  Sha256 key = hmac_sha256(as_text(secrets.stored_key), auth_message);
  for (std::size_t i = 0; i < key.size(); ++i) key[i] ^= proof[i];
  const Sha256 stored = sha256(as_text(key));
  wipe({reinterpret_cast<char*>(key.data()), key.size()});
  return equal_in_constant_time(as_text(stored), as_text(secrets.stored_key));
}

std::string scram_server_final(const ScramSecrets& secrets, std::string_view auth_message) {
  return "v=" + to_base64(as_text(hmac_sha256(as_text(secrets.server_key), auth_message)));
}

}  // namespace todoku::smtp
