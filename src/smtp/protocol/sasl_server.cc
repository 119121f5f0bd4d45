// SPDX-License-Identifier: Apache-2.0
#include "smtp/protocol/sasl_server.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "mail/saslprep.h"

namespace todoku::smtp {
namespace {

constexpr std::size_t kNonceOctetsMin = 16;
constexpr std::size_t kNonceOctetsMax = 100;
constexpr std::size_t kDecoyKeyOctetsMin = 16;
// RFC 4954 section 4.
constexpr std::size_t kLineOctetsMax = 12'288;

// Whether `mechanisms`, names with a blank between them, has this one.
bool offers(std::string_view mechanisms, std::string_view name) {
  while (!mechanisms.empty()) {
    const std::size_t blank = std::min(mechanisms.find(' '), mechanisms.size());
    if (mechanisms.substr(0, blank) == name) return true;
    mechanisms.remove_prefix(std::min(blank + 1, mechanisms.size()));
  }
  return false;
}

}  // namespace

SaslServer::SaslServer(const SaslOptions& options, std::string nonce)
    : options_(options), nonce_(std::move(nonce)) {
  check(nonce_.size() >= kNonceOctetsMin && nonce_.size() <= kNonceOctetsMax,
        "a nonce cannot be guessed");
  check(options_.decoy_key.size() >= kDecoyKeyOctetsMin, "a decoy's salt cannot be guessed");
}

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
  return {};
}

SaslStep SaslServer::begin(std::string_view argument) {
  check(expects_ == Expects::beginning, "an exchange begins once");
  const std::size_t blank = argument.find(' ');
  const std::string_view name = argument.substr(0, blank);
  for (const Mechanism known : {Mechanism::scram, Mechanism::plain, Mechanism::login}) {
    mechanism_ = known;
    if (!equals_ignoring_case(name, mechanism()) || !offers(options_.mechanisms, mechanism())) {
      continue;
    }
    constexpr Expects kFirst[] = {Expects::nothing, Expects::plain, Expects::login_user,
                                  Expects::scram_first};
    const Expects first = kFirst[static_cast<std::size_t>(known)];
    if (blank == std::string_view::npos) {
      return challenge(first, known == Mechanism::login ? "Username:" : "");
    }
    expects_ = first;
    const std::string_view initial = trim(argument.substr(blank + 1));
    // RFC 4954 section 4: an initial response without octets is said as "=".
    return initial == "=" ? take({}) : respond(initial);
  }
  mechanism_ = Mechanism::none;
  return fail_with(504, "5.5.4 Unknown mechanism");
}

SaslStep SaslServer::respond(std::string_view line) {
  check(expects_ != Expects::beginning && expects_ != Expects::secrets &&
            expects_ != Expects::nothing,
        "only a challenge is answered");
  if (line.size() > kLineOctetsMax) return fail_with(500, "5.5.6 Line too long");
  // from_base64() would overlook blanks.
  if (line.contains(' ') || line.contains('\t')) return fail_with(501, "5.5.2 Not base64");
  auto message = from_base64(line);
  if (!message) return fail_with(501, "5.5.2 Not base64");
  const SecretText secret(std::move(*message));
  return take(secret);
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
      if (!message.empty()) return fail_with(501, "5.5.2 An empty line was due");
      return succeed();
    case Expects::beginning:
    case Expects::secrets:
    case Expects::nothing:
      break;
  }
  check(false, "nothing is expected");
  return {};
}

// [authzid] NUL authcid NUL passwd (RFC 4616 section 2).
SaslStep SaslServer::take_plain(std::string_view message) {
  const std::size_t first = message.find('\0');
  const std::size_t second =
      first == std::string_view::npos ? first : message.find('\0', first + 1);
  if (second == std::string_view::npos) return fail_with(501, "5.5.2 Not a PLAIN message");
  const std::string_view password = message.substr(second + 1);
  if (password.contains('\0')) return fail_with(501, "5.5.2 Not a PLAIN message");
  const bool fit =
      set_user(message.substr(first + 1, second - first - 1), message.substr(0, first));
  if (!fit || password.empty() || password.size() > kPasswordOctetsMax) {
    return fail_with_credentials();
  }
  password_ = SecretText(std::string(password));
  return ask();
}

SaslStep SaslServer::take_login_user(std::string_view message) {
  if (!set_user(message, {})) return fail_with_credentials();
  return challenge(Expects::login_password, "Password:");
}

SaslStep SaslServer::take_login_password(std::string_view message) {
  if (message.empty() || message.size() > kPasswordOctetsMax) return fail_with_credentials();
  password_ = SecretText(std::string(message));
  return ask();
}

SaslStep SaslServer::take_scram_first(std::string_view message) {
  auto first = parse_scram_client_first(message);
  if (!first) return fail_with(501, "5.5.2 SCRAM: " + first.error().detail);
  if (!set_user(first->user, first->authzid)) return fail_with_credentials();
  nonce_ = first->nonce + nonce_;
  gs2_header_ = std::move(first->gs2_header);
  auth_message_ = std::move(first->bare);
  return ask();
}

SaslStep SaslServer::ask() {
  expects_ = Expects::secrets;
  return {SaslStep::Kind::ask, {}};
}

SaslStep SaslServer::give(std::vector<ScramSecrets> secrets) {
  check(expects_ == Expects::secrets, "secrets are given when they are asked for");
  known_ = !secrets.empty();
  secrets_ = std::move(secrets);
  if (!known_) secrets_.push_back(decoy());
  if (mechanism_ != Mechanism::scram) return compare_password();
  const std::string first = scram_server_first(nonce_, secrets_.front());
  auth_message_ += "," + first + ",";
  return challenge(Expects::scram_final, first);
}

SaslStep SaslServer::recognise(std::size_t right) {
  check(expects_ == Expects::secrets && has_password(), "there is a password to be recognised");
  right_ = right;
  password_ = SecretText();
  return succeed();
}

SaslStep SaslServer::refuse() {
  check(expects_ == Expects::secrets && has_password(), "there is a password to be refused");
  password_ = SecretText();
  return fail_with_credentials();
}

SaslStep SaslServer::succeed() {
  expects_ = Expects::nothing;
  return {SaslStep::Kind::succeeded, {235, "2.7.0 Authentication successful"}};
}

SaslStep SaslServer::compare_password() {
  bool right = false;
  // All, whichever is right: how long it takes tells nothing.
  for (std::size_t i = 0; i < secrets_.size(); ++i) {
    if (!secrets_[i].matches(password_)) continue;
    if (!right) right_ = i;
    right = true;
  }
  password_ = SecretText();
  secrets_.clear();
  return right && known_ ? succeed() : fail_with_credentials();
}

SaslStep SaslServer::take_scram_final(std::string_view message) {
  const auto final = parse_scram_client_final(message);
  if (!final) return fail_with(501, "5.5.2 SCRAM: " + final.error().detail);
  // Who changed either on the way did not know the password (RFC 5802 section 5.1).
  if (final->nonce != nonce_ || final->gs2_header != gs2_header_) return fail_with_credentials();
  auth_message_ += final->without_proof;
  const ScramSecrets* right = nullptr;
  for (const ScramSecrets& secrets : secrets_) {
    const bool named =
        secrets.salt == secrets_.front().salt && secrets.iterations == secrets_.front().iterations;
    if (named && scram_proof_matches(secrets, auth_message_, final->proof)) right = &secrets;
  }
  if (right != nullptr) right_ = static_cast<std::size_t>(right - secrets_.data());
  if (right == nullptr || !known_) return fail_with_credentials();
  // RFC 4954 section 4: the mechanism's last word is a challenge, which an empty line answers.
  const std::string last = scram_server_final(*right, auth_message_);
  secrets_.clear();
  return challenge(Expects::scram_end, last);
}

SaslStep SaslServer::challenge(Expects next, std::string_view message) {
  expects_ = next;
  return {SaslStep::Kind::challenge, {334, to_base64(message)}};
}

SaslStep SaslServer::fail_with(int code, std::string_view text) {
  expects_ = Expects::nothing;
  password_ = SecretText();
  secrets_.clear();
  return {SaslStep::Kind::failed, {code, std::string(text)}};
}

SaslStep SaslServer::fail_with_credentials() {
  return fail_with(535, "5.7.8 Authentication credentials invalid");
}

// False: nobody can be called so, or one would act for another.
bool SaslServer::set_user(std::string_view name, std::string_view authzid) {
  if (name.size() > kSaslUserOctetsMax || authzid.size() > kSaslUserOctetsMax) return false;
  auto user = saslprep(name, SaslprepOf::query);
  auto acting = saslprep(authzid, SaslprepOf::query);
  if (!user || !acting || user->empty() || user->size() > kSaslUserOctetsMax) return false;
  if (!acting->empty() && *acting != *user) return false;
  user_ = std::move(*user);
  authzid_ = std::move(*acting);
  return true;
}

// RFC 5802 section 9 on users that there are not: their salt has to be the same each time.
ScramSecrets SaslServer::decoy() const {
  const auto made_up = [&](std::string_view what) {
    return hmac_sha256(options_.decoy_key, std::string(what) + ":" + user_);
  };
  ScramSecrets secrets;
  secrets.salt = as_text(made_up("salt")).substr(0, kScramSaltOctets);
  secrets.iterations = options_.decoy_iterations;
  secrets.stored_key = made_up("stored key");
  secrets.server_key = made_up("server key");
  return secrets;
}

}  // namespace todoku::smtp
