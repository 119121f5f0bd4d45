// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/scram_messages.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/wipe.h"

namespace todoku::smtp {
namespace {

std::unexpected<Error> refuse_message(std::string reason) {
  return fail(ErrorKind::invalid_input, std::move(reason));
}

// What stands before the next comma, which is taken as well, or all of it.
std::string_view take_attribute(std::string_view& text) {
  const std::size_t comma = text.find(',');
  const std::string_view attribute = text.substr(0, comma);
  text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  return attribute;
}

// The value of "x=value"; nullopt: the attribute is another.
std::optional<std::string_view> value_of(std::string_view attribute, std::string_view name) {
  if (!attribute.starts_with(name)) return std::nullopt;
  return attribute.substr(name.size());
}

// RFC 5802 section 5.1: a comma is =2C, an equals sign =3D, and no other '=' is allowed.
std::optional<std::string> from_saslname(std::string_view text) {
  std::string name;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text.front() != '=') {
      name += text.front();
      continue;
    }
    const std::string_view code = text.substr(1, 2);
    if (code != "2C" && code != "3D") return std::nullopt;
    name += code == "2C" ? ',' : '=';
    text.remove_prefix(2);
  }
  return name;
}

// RFC 5802 section 7: printable, which a comma, as the end of an attribute, cannot be part of.
bool is_nonce(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '!' && c <= '~'; });
}

// Takes "n,a=authzid," from the front of `text`. The error: why not.
Result<void> take_gs2_header(std::string_view& text, ScramClientFirst& message) {
  const std::string_view whole = text;
  const std::string_view flag = take_attribute(text);
  if (flag.starts_with("p=")) return refuse_message("channel binding is not offered");
  // Section 6: 'y' thinks that we do not offer channel binding, and is right.
  if (flag != "n" && flag != "y") return refuse_message("the message has no GS2 header");
  const std::string_view authzid = take_attribute(text);
  if (!authzid.empty()) {
    const auto name = value_of(authzid, "a=").and_then(from_saslname);
    if (!name || name->empty()) return refuse_message("the message has a bad a=");
    message.authzid = *name;
  }
  message.gs2_header = whole.substr(0, whole.size() - text.size());
  if (!message.gs2_header.ends_with(',')) return refuse_message("the message is not whole");
  return {};
}

Sha256 signed_with(const Sha256& key, std::string_view auth_message) {
  return hmac_sha256(as_text(key), auth_message);
}

}  // namespace

Result<ScramClientFirst> parse_scram_client_first(std::string_view text) {
  ScramClientFirst message;
  auto header = take_gs2_header(text, message);
  if (!header) return fail(std::move(header.error()));
  message.bare = text;
  const std::string_view user_attribute = take_attribute(text);
  // Section 5.1: a mandatory extension that is not known ends the exchange.
  if (user_attribute.starts_with("m=")) return refuse_message("m= asks for an unknown extension");
  auto user = value_of(user_attribute, "n=").and_then(from_saslname);
  if (!user) return refuse_message("the message has no good n=");
  const auto nonce = value_of(take_attribute(text), "r=");
  if (!nonce || !is_nonce(*nonce)) return refuse_message("the message has no good r=");
  if (nonce->size() > kScramNonceOctetsMax) return refuse_message("r= is too long");
  message.user = std::move(*user);
  message.nonce = *nonce;
  return message;
}

Result<ScramClientFinal> parse_scram_client_final(std::string_view text) {
  ScramClientFinal message;
  const std::size_t last = text.rfind(",p=");
  if (last == std::string_view::npos) return refuse_message("the message has no p=");
  const auto proof = from_base64(text.substr(last + 3));
  if (!proof || proof->size() != message.proof.size()) return refuse_message("p= is no proof");
  std::ranges::copy(as_octets(*proof), message.proof.begin());
  text = text.substr(0, last);
  message.without_proof = text;
  auto header = value_of(take_attribute(text), "c=").and_then(from_base64);
  if (!header) return refuse_message("the message has no good c=");
  const auto nonce = value_of(take_attribute(text), "r=");
  if (!nonce || !is_nonce(*nonce)) return refuse_message("the message has no good r=");
  message.gs2_header = std::move(*header);
  message.nonce = *nonce;
  return message;
}

std::string scram_server_first(std::string_view nonce, const ScramSecrets& secrets) {
  return fmt::format("r={},s={},i={}", nonce, to_base64(secrets.salt), secrets.iterations);
}

// Section 3: ClientProof is ClientKey XOR ClientSignature, and only who knows ClientKey, of which
// StoredKey is the hash, can make it.
bool scram_proof_matches(const ScramSecrets& secrets, std::string_view auth_message,
                         const Sha256& proof) {
  Sha256 client_key = signed_with(secrets.stored_key, auth_message);
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] ^= proof[i];
  const Sha256 stored_key = sha256(as_text(client_key));
  wipe({reinterpret_cast<char*>(client_key.data()), client_key.size()});
  return equal_in_constant_time(as_text(stored_key), as_text(secrets.stored_key));
}

std::string scram_server_final(const ScramSecrets& secrets, std::string_view auth_message) {
  return "v=" + to_base64(as_text(signed_with(secrets.server_key, auth_message)));
}

}  // namespace todoku::smtp
