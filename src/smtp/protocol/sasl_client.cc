// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/sasl_client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/wipe.h"
#include "mail/saslprep.h"

namespace todoku::smtp {
namespace {

constexpr std::string_view kScram = "SCRAM-SHA-256";
constexpr std::string_view kPlain = "PLAIN";
constexpr std::string_view kLogin = "LOGIN";
constexpr std::size_t kSaltOctetsMax = 1024;
constexpr std::size_t kServerNonceOctetsMax = 1024;
constexpr std::size_t kMechanismsTold = 8;
// "n,,": no channel binding, and we act for nobody else (RFC 5802 section 7).
constexpr std::string_view kGs2Header = "n,,";

void wipe_key(Sha256& key) {
  wipe({reinterpret_cast<char*>(key.data()), key.size()});
}

// RFC 5802 section 5.1.
std::string as_saslname(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ',') {
      out += "=2C";
    } else if (c == '=') {
      out += "=3D";
    } else {
      out += c;
    }
  }
  return out;
}

std::unexpected<Error> no_message_of_scram(std::string_view why) {
  return fail(ErrorKind::corrupt, fmt::format("the server's SCRAM message {}", why));
}

// r=nonce,s=salt,i=iterations
struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  std::uint32_t iterations = 0;
};

// What stands before the next comma, without `name`; nullopt: it is another attribute.
std::optional<std::string_view> take(std::string_view& text, std::string_view name) {
  const std::size_t comma = std::min(text.find(','), text.size());
  std::string_view attribute = text.substr(0, comma);
  text.remove_prefix(std::min(comma + 1, text.size()));
  if (!attribute.starts_with(name)) return std::nullopt;
  attribute.remove_prefix(name.size());
  return attribute;
}

Result<ServerFirst> parse_server_first(std::string_view text, std::string_view client_nonce) {
  ServerFirst first;
  // Section 5.1: "m=" in front is an extension that must be known.
  const auto nonce = take(text, "r=");
  if (!nonce) return no_message_of_scram("has no r=");
  if (!nonce->starts_with(client_nonce) || nonce->size() == client_nonce.size() ||
      nonce->size() > kServerNonceOctetsMax) {
    return no_message_of_scram("has a nonce that does not go on from ours");
  }
  first.nonce = *nonce;
  auto salt = take(text, "s=").and_then(from_base64);
  if (!salt || salt->empty() || salt->size() > kSaltOctetsMax) {
    return no_message_of_scram("has no good s=");
  }
  first.salt = std::move(*salt);
  const auto count = take(text, "i=");
  if (!count) return no_message_of_scram("has no i=");
  const auto [end, error] =
      std::from_chars(count->data(), count->data() + count->size(), first.iterations);
  const bool whole = error == std::errc() && end == count->data() + count->size();
  if (!whole || first.iterations < kScramClientIterationsMin ||
      first.iterations > kScramClientIterationsMax) {
    return no_message_of_scram(fmt::format("asks for iterations that are not from {} to {}",
                                           kScramClientIterationsMin, kScramClientIterationsMax));
  }
  return first;
}

}  // namespace

SaslClient::SaslClient(const ClientLogin& login, std::string nonce)
    : login_(login), nonce_(std::move(nonce)) {}

std::string_view SaslClient::mechanism() const {
  switch (mechanism_) {
    case Mechanism::scram:
      return kScram;
    case Mechanism::plain:
      return kPlain;
    case Mechanism::login:
      return kLogin;
    case Mechanism::none:
      break;
  }
  return {};
}

Result<std::string> SaslClient::begin(std::span<const std::string> offered) {
  const auto is_offered = [&](std::string_view name) {
    return std::ranges::find(offered, name) != offered.end();
  };
  if (is_offered(kScram)) {
    mechanism_ = Mechanism::scram;
    expects_ = Expects::scram_first;
    const auto user = saslprep(login_.user, SaslprepOf::query);
    if (!user) return fail("the user name", user.error());
    client_first_bare_ = fmt::format("n={},r={}", as_saslname(*user), nonce_);
    return fmt::format("AUTH {} {}", kScram,
                       to_base64(std::string(kGs2Header) + client_first_bare_));
  }
  if (is_offered(kPlain)) {
    mechanism_ = Mechanism::plain;
    expects_ = Expects::plain;
    auto message = plain_message();
    if (!message) return message;
    return fmt::format("AUTH {} {}", kPlain, *message);
  }
  if (is_offered(kLogin)) {
    mechanism_ = Mechanism::login;
    expects_ = Expects::login_user;
    return fmt::format("AUTH {}", kLogin);
  }
  if (offered.empty()) return fail(ErrorKind::unavailable, "the server offers no AUTH");
  return fail(ErrorKind::unavailable,
              fmt::format("the server offers AUTH by {} only, and not by {}, {} or {}",
                          fmt::join(offered.first(std::min(offered.size(), kMechanismsTold)), ", "),
                          kScram, kPlain, kLogin));
}

Result<std::string> SaslClient::plain_message() const {
  std::string message(1, '\0');
  message.append(login_.user).append(1, '\0').append(login_.password.view());
  std::string text = to_base64(message);
  wipe(message);
  return text;
}

Result<std::string> SaslClient::respond(std::string_view challenge) {
  const auto message = from_base64(challenge);
  // What is asked for by LOGIN is said in words that servers choose as they like, and some say them
  // without base64.
  switch (std::exchange(expects_, Expects::nothing)) {
    case Expects::plain:
      return plain_message();
    case Expects::login_user:
      expects_ = Expects::login_password;
      return to_base64(login_.user);
    case Expects::login_password:
      return to_base64(login_.password.view());
    case Expects::scram_first:
      return message ? scram_proof(*message) : no_message_of_scram("is no base64");
    case Expects::scram_final:
      return message ? scram_end(*message) : no_message_of_scram("is no base64");
    case Expects::nothing:
      break;
  }
  return fail(ErrorKind::corrupt, "the server asks for more than the exchange has");
}

// RFC 5802 section 3.
Result<std::string> SaslClient::scram_proof(std::string_view server_first) {
  const auto first = parse_server_first(server_first, nonce_);
  if (!first) return fail(first.error());
  auto password = saslprep(login_.password.view(), SaslprepOf::query);
  if (!password) return fail("the password", password.error());
  Sha256 salted = pbkdf2_sha256(*password, first->salt, first->iterations);
  wipe(*password);
  Sha256 client_key = hmac_sha256(as_text(salted), "Client Key");
  const Sha256 stored_key = sha256(as_text(client_key));
  Sha256 server_key = hmac_sha256(as_text(salted), "Server Key");
  wipe_key(salted);
  const std::string without_proof = fmt::format("c={},r={}", to_base64(kGs2Header), first->nonce);
  const std::string auth_message =
      fmt::format("{},{},{}", client_first_bare_, server_first, without_proof);
  const Sha256 signature = hmac_sha256(as_text(stored_key), auth_message);
  for (std::size_t i = 0; i < client_key.size(); ++i) client_key[i] ^= signature[i];
  server_signature_ = to_base64(as_text(hmac_sha256(as_text(server_key), auth_message)));
  wipe_key(server_key);
  std::string message = fmt::format("{},p={}", without_proof, to_base64(as_text(client_key)));
  wipe_key(client_key);
  expects_ = Expects::scram_final;
  return to_base64(message);
}

Result<std::string> SaslClient::scram_end(std::string_view server_final) {
  const auto signature = take(server_final, "v=");
  if (!signature || !equal_in_constant_time(*signature, server_signature_)) {
    return fail(ErrorKind::unauthorized, "the server has not proven that it knows the password");
  }
  proven_ = true;
  return std::string();
}

Result<void> SaslClient::finish() const {
  if (mechanism_ != Mechanism::scram || proven_) return {};
  return fail(ErrorKind::unauthorized, "the server has not proven that it knows the password");
}

}  // namespace todoku::smtp
