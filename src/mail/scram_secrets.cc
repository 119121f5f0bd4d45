// SPDX-License-Identifier: Apache-2.0
#include "mail/scram_secrets.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/wipe.h"
#include "mail/saslprep.h"

namespace todoku {
namespace {

constexpr std::string_view kScheme = "SCRAM-SHA-256$";

void wipe_key(Sha256& key) {
  wipe({reinterpret_cast<char*>(key.data()), key.size()});
}

// The salted password; wiped when it goes.
struct Salted {
  Sha256 key;

  Salted(std::string_view prepared, std::string_view salt, std::uint32_t iterations)
      : key(pbkdf2_sha256(prepared, salt, iterations)) {}
  Salted(const Salted&) = delete;
  Salted& operator=(const Salted&) = delete;
  ~Salted() { wipe_key(key); }

  [[nodiscard]] Sha256 stored_key() const {
    Sha256 client_key = hmac_sha256(as_text(key), "Client Key");
    const Sha256 stored = sha256(as_text(client_key));
    wipe_key(client_key);
    return stored;
  }
  [[nodiscard]] Sha256 server_key() const { return hmac_sha256(as_text(key), "Server Key"); }
};

// What stands before `end`, which is taken as well; nullopt: `end` does not come.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, at);
  text.remove_prefix(at + 1);
  return part;
}

// Base64 in the one form that to_base64() writes.
std::optional<std::string> from_strict_base64(std::string_view text) {
  auto octets = from_base64(text);
  if (!octets || to_base64(*octets) != text) return std::nullopt;
  return octets;
}

bool read_key(std::string_view text, Sha256& key) {
  const auto octets = from_strict_base64(text);
  if (!octets || octets->size() != key.size()) return false;
  std::ranges::copy(as_octets(*octets), key.begin());
  return true;
}

bool are_within_bounds(std::string_view salt, std::uint32_t iterations) {
  return !salt.empty() && salt.size() <= kScramSaltOctetsMax && iterations >= kScramIterationsMin &&
         iterations <= kScramIterationsMax;
}

}  // namespace

ScramSecrets::~ScramSecrets() {
  wipe_key(stored_key);
  wipe_key(server_key);
}

Result<ScramSecrets> ScramSecrets::from_password(std::string_view password, std::string salt,
                                                 std::uint32_t iterations) {
  if (!are_within_bounds(salt, iterations)) {
    return fail(ErrorKind::invalid_input,
                fmt::format("SCRAM needs a salt of 1 to {} octets and {} to {} iterations",
                            kScramSaltOctetsMax, kScramIterationsMin, kScramIterationsMax));
  }
  auto prepared = saslprep(password, SaslprepOf::stored);
  if (!prepared) return fail("the password", std::move(prepared.error()));
  const SecretText secret(std::move(*prepared));
  if (secret.view().empty() || password.size() > kPasswordOctetsMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("the password has 1 to {} octets", kPasswordOctetsMax));
  }
  const Salted salted(secret, salt, iterations);
  ScramSecrets secrets;
  secrets.salt = std::move(salt);
  secrets.iterations = iterations;
  secrets.stored_key = salted.stored_key();
  secrets.server_key = salted.server_key();
  return secrets;
}

Result<ScramSecrets> ScramSecrets::parse(std::string_view text) {
  const auto corrupt = [] {
    return fail(ErrorKind::corrupt, "this is not SCRAM-SHA-256$iterations:salt$key:key");
  };
  if (!text.starts_with(kScheme)) return corrupt();
  text.remove_prefix(kScheme.size());
  const auto digits = take_until(text, ':');
  const auto salt_text = take_until(text, '$');
  const auto stored_text = take_until(text, ':');
  if (!digits || !salt_text || !stored_text) return corrupt();
  ScramSecrets secrets;
  const char* const digits_end = digits->data() + digits->size();
  const auto [end, error] = std::from_chars(digits->data(), digits_end, secrets.iterations);
  auto salt = from_strict_base64(*salt_text);
  if (error != std::errc() || end != digits_end || !salt ||
      !are_within_bounds(*salt, secrets.iterations)) {
    return corrupt();
  }
  secrets.salt = std::move(*salt);
  if (!read_key(*stored_text, secrets.stored_key) || !read_key(text, secrets.server_key)) {
    return corrupt();
  }
  return secrets;
}

std::string ScramSecrets::to_string() const {
  return fmt::format("{}{}:{}${}:{}", kScheme, iterations, to_base64(salt),
                     to_base64(as_text(stored_key)), to_base64(as_text(server_key)));
}

bool ScramSecrets::matches(std::string_view password) const {
  if (password.size() > kPasswordOctetsMax) return false;
  auto prepared = saslprep(password, SaslprepOf::query);
  // What cannot be a password is compared all the same: the time tells nothing of why.
  const bool fit = prepared.has_value() && !prepared->empty();
  const SecretText secret(std::move(prepared).value_or(std::string()));
  const Sha256 stored = Salted(secret, salt, iterations).stored_key();
  return equal_in_constant_time(as_text(stored), as_text(stored_key)) && fit;
}

}  // namespace todoku
