// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/sasl_server.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"
#include "mail/saslprep.h"

namespace todoku::smtp {
namespace {

constexpr std::string_view kUserPrompt = "Username:";
constexpr std::string_view kPasswordPrompt = "Password:";

// The form in which names are compared; nullopt: nobody is called so.
std::optional<std::string> prepared_name(std::string_view name) {
  auto prepared = saslprep(name, SaslprepOf::query);
  if (!prepared || prepared->empty() || prepared->size() > kSaslUserOctetsMax) return std::nullopt;
  return std::move(*prepared);
}

}  // namespace

SaslServer::SaslServer(const SaslOptions& options, std::string nonce)
    : options_(options), nonce_(std::move(nonce)) {}

std::string_view SaslServer::mechanism() const {
  switch (mechanism_) {
    case Mechanism::none:
      break;
    case Mechanism::plain:
      return "PLAIN";
    case Mechanism::login:
      return "LOGIN";
    case Mechanism::scram:
      return "SCRAM-SHA-256";
  }
  return "";
}

SaslStep SaslServer::begin(std::string_view argument) {
  check(expects_ == Expects::beginning, "an exchange begins once");
  const std::size_t blank = std::min(argument.find(' '), argument.size());
  const std::string_view name = argument.substr(0, blank);
  std::string_view initial = trim(argument.substr(blank));
  if (equals_ignoring_case(name, "PLAIN")) {
    mechanism_ = Mechanism::plain;
    expects_ = Expects::plain;
  } else if (equals_ignoring_case(name, "LOGIN")) {
    mechanism_ = Mechanism::login;
    expects_ = Expects::login_user;
  } else if (equals_ignoring_case(name, "SCRAM-SHA-256")) {
    mechanism_ = Mechanism::scram;
    expects_ = Expects::scram_first;
  } else {
    return fail_with(504, "5.5.4 Unknown mechanism");
  }
  if (initial.empty()) {
    return challenge(expects_, mechanism_ == Mechanism::login ? kUserPrompt : "");
  }
  // RFC 4954 section 4: "=" is a response without octets.
  if (initial == "=") initial = {};
  return respond(initial);
}

SaslStep SaslServer::respond(std::string_view line) {
  auto octets = from_base64(line);
  if (!octets) return fail_with(501, "5.5.2 Not base64");
  const SecretText message(std::move(*octets));
  return take(message);
}

SaslStep SaslServer::take(std::string_view message) {
  switch (expects_) {
    case Expects::plain:
      return take_plain(message);
    case Expects::login_user:
      return take_login_user(message);
    case Expects::login_password:
      return take_login_password(message);
    case Expects::scram_first:
      return take_scram_first(message);
    case Expects::scram_final:
      return take_scram_final(message);
    case Expects::scram_end:
      if (!message.empty()) return fail_with(501, "5.5.2 Nothing was asked for");
      expects_ = Expects::nothing;
      return {SaslStep::Kind::succeeded, {235, "2.7.0 Authentication successful"}};
    case Expects::beginning:
    case Expects::secrets:
    case Expects::nothing:
      break;
  }
  check(false, "the exchange waits for no line");
  return {};
}

bool SaslServer::set_user(std::string_view name, std::string_view authzid) {
  auto prepared = prepared_name(name);
  if (!prepared) return false;
  user_ = std::move(*prepared);
  authzid_ = authzid;
  return authzid.empty() || prepared_name(authzid) == user_;
}

// RFC 4616 section 2: [authzid] NUL authcid NUL passwd.
SaslStep SaslServer::take_plain(std::string_view message) {
  const std::size_t first = message.find('\0');
  const std::size_t second =
      first == std::string_view::npos ? first : message.find('\0', first + 1);
  if (second == std::string_view::npos || message.find('\0', second + 1) != message.npos) {
    return fail_with(501, "5.5.2 Not a response of PLAIN");
  }
  const std::string_view password = message.substr(second + 1);
  if (password.empty() || password.size() > kPasswordOctetsMax) return fail_with_credentials();
  if (!set_user(message.substr(first + 1, second - first - 1), message.substr(0, first))) {
    return fail_with_credentials();
  }
  password_ = SecretText(std::string(password));
  return ask();
}

SaslStep SaslServer::take_login_user(std::string_view message) {
  // Who it is is said with the password: the exchange is the same for every name.
  if (!set_user(message, "")) user_.clear();
  return challenge(Expects::login_password, kPasswordPrompt);
}

SaslStep SaslServer::take_login_password(std::string_view message) {
  if (user_.empty() || message.empty() || message.size() > kPasswordOctetsMax) {
    return fail_with_credentials();
  }
  password_ = SecretText(std::string(message));
  return ask();
}

SaslStep SaslServer::take_scram_first(std::string_view message) {
  auto first = parse_scram_client_first(message);
  if (!first) return fail_with(501, "5.5.2 Not a first message of SCRAM-SHA-256");
  if (!set_user(first->user, first->authzid)) return fail_with_credentials();
  gs2_header_ = std::move(first->gs2_header);
  auth_message_ = std::move(first->bare);
  nonce_ = first->nonce + nonce_;
  return ask();
}

SaslStep SaslServer::ask() {
  expects_ = Expects::secrets;
  return {SaslStep::Kind::ask, {}};
}

SaslStep SaslServer::give(std::vector<ScramSecrets> secrets) {
  check(expects_ == Expects::secrets, "nothing was asked");
  known_ = !secrets.empty();
  secrets_ = std::move(secrets);
  if (!known_) secrets_.push_back(decoy());
  if (mechanism_ != Mechanism::scram) return compare_password();
  // One exchange names one salt.
  std::erase_if(secrets_, [&](const ScramSecrets& each) {
    return each.salt != secrets_.front().salt || each.iterations != secrets_.front().iterations;
  });
  const std::string message = scram_server_first(nonce_, secrets_.front());
  auth_message_ += ',' + message;
  return challenge(Expects::scram_final, message);
}

SaslStep SaslServer::compare_password() {
  bool right = false;
  for (const ScramSecrets& each : secrets_) right = each.matches(password_) || right;
  password_ = SecretText();
  if (!right || !known_) return fail_with_credentials();
  expects_ = Expects::nothing;
  return {SaslStep::Kind::succeeded, {235, "2.7.0 Authentication successful"}};
}

SaslStep SaslServer::take_scram_final(std::string_view message) {
  const auto final = parse_scram_client_final(message);
  if (!final) return fail_with(501, "5.5.2 Not a final message of SCRAM-SHA-256");
  if (final->gs2_header != gs2_header_ || final->nonce != nonce_) return fail_with_credentials();
  auth_message_ += ',' + final->without_proof;
  for (const ScramSecrets& each : secrets_) {
    if (!scram_proof_matches(each, auth_message_, final->proof) || !known_) continue;
    // RFC 4954 section 4: 235 has no place for it, so it is a challenge with an empty response.
    return challenge(Expects::scram_end, scram_server_final(each, auth_message_));
  }
  return fail_with_credentials();
}

SaslStep SaslServer::challenge(Expects next, std::string_view message) {
  expects_ = next;
  return {SaslStep::Kind::challenge, {334, to_base64(message)}};
}

SaslStep SaslServer::fail_with(int code, std::string_view text) {
  expects_ = Expects::nothing;
  password_ = SecretText();
  return {SaslStep::Kind::failed, {code, std::string(text)}};
}

SaslStep SaslServer::fail_with_credentials() {
  return fail_with(535, "5.7.8 Authentication credentials invalid");
}

// Secrets that no password has, with a salt that the name always gets.
ScramSecrets SaslServer::decoy() const {
  ScramSecrets made;
  const Sha256 salt = hmac_sha256(options_.decoy_key, "salt " + user_);
  made.salt = std::string(as_text(salt).substr(0, kScramSaltOctets));
  made.iterations = options_.decoy_iterations;
  made.stored_key = hmac_sha256(options_.decoy_key, "stored " + user_);
  made.server_key = hmac_sha256(options_.decoy_key, "server " + user_);
  return made;
}

}  // namespace todoku::smtp
