// SPDX-License-Identifier: Apache-2.0
// User names and passwords for the SMTP relay. They are apart from API keys: a program that sends
// mail should open nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/labels.h"
#include "mail/states.h"
#include "mail/submission_options.h"
#include "store/event_sheet.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr std::size_t kSmtpCredentialNameMax = 64;
inline constexpr std::int64_t kSmtpCredentialsMax = 1'000;  // of an account

struct SmtpCredentialSettings {
  std::optional<TrafficClass> traffic;  // nullopt: as the message looks
  Purpose purpose = Purpose::by_type;   // by_type: as the message looks, or says
  SubmissionOptionBits options = 0;
  std::vector<std::string> networks;       // from which it may be used; empty: from anywhere
  std::optional<Instant> expires;          // from then on it opens nothing
  std::string from_address;                // of a message without From; empty: that is refused
  bool show_client = true;                 // Received tells the client's address
  bool bounces = true;                     // failures are returned to MAIL FROM
  std::int64_t messages_per_minute = 0;    // 0: no limit
  std::int64_t recipients_per_minute = 0;  // likewise
  std::int64_t octets_per_minute = 0;      // of messages; likewise
  std::int64_t connections_max = 0;        // at once; 0: no limit of its own
  // The user of this machine who sends under this name without a password (todoku sendmail). Of
  // those that are not revoked, one has it.
  std::optional<std::uint32_t> uid;
  friend bool operator==(const SmtpCredentialSettings&, const SmtpCredentialSettings&) = default;
};

struct SmtpCredential {
  AccountKey account{};
  std::string name;  // the user name; unique in the installation, and for good
  SmtpCredentialSettings settings;
  std::string secret;           // mail/scram_secrets.h, in one line
  std::string previous_secret;  // goes on until `previous_until`
  std::optional<Instant> previous_until;
  Instant created{};
  std::optional<Instant> revoked;
  // Since when it is held: it hands in nothing new, and nothing of what it has handed in is begun
  // (docs/adr/0029).
  std::optional<Instant> held;
  std::string held_because;
  std::optional<Instant> released;  // from the last hold
  std::optional<Instant> used;      // the last hour in which it handed something in (last_use.h)
};

inline constexpr std::size_t kHeldBecauseMax = 300;  // octets

// 1 to kSmtpCredentialNameMax of letters, digits and ._@+- (it is compared as it is).
[[nodiscard]] bool is_smtp_credential_name(std::string_view name);

// All but `uid`, which has a column of its own.
[[nodiscard]] std::string pack_smtp_settings(const SmtpCredentialSettings& settings);
// Errors: corrupt.
[[nodiscard]] Result<SmtpCredentialSettings> unpack_smtp_settings(std::string_view packed);

// What every back end refuses: invalid_input.
[[nodiscard]] Result<void> check_sound(const SmtpCredential& credential);

[[nodiscard]] std::unexpected<Error> too_many_smtp_credentials();
[[nodiscard]] std::unexpected<Error> smtp_credential_name_taken();
[[nodiscard]] std::unexpected<Error> smtp_credential_uid_taken();

class SmtpCredentialReads {
 public:
  virtual ~SmtpCredentialReads() = default;
  // Revoked and expired ones, too.
  [[nodiscard]] virtual Result<SmtpCredential> smtp_credential(std::string_view name) = 0;
  // The one of this user of the machine; not_found if there is none, or it was revoked.
  [[nodiscard]] virtual Result<SmtpCredential> smtp_credential_of_uid(std::uint32_t uid) = 0;
  // Those after `after`, by name, at most `limit`; with `account` those of it alone.
  [[nodiscard]] virtual Result<std::vector<SmtpCredential>> smtp_credentials(
      std::optional<AccountKey> account, std::string_view after, std::int64_t limit) = 0;
  // Names of those that are held, in their order, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<std::string>> held_smtp_credentials(
      std::int64_t limit) = 0;
  // What keep_smtp_habits() was given; empty: nothing. A write transaction has it to itself from
  // hold_smtp_credential() on.
  [[nodiscard]] virtual Result<std::string> smtp_habits(std::string_view name) = 0;
};

class SmtpCredentialWrites {
 public:
  virtual ~SmtpCredentialWrites() = default;
  // `created` is the store's. conflict: the name or the uid is taken; limit_exceeded: the account
  // has kSmtpCredentialsMax.
  [[nodiscard]] virtual Result<SmtpCredential> add_smtp_credential(
      const SmtpCredential& credential) = 0;
  // As it is, and nobody else changes it before this is committed: what is to be changed is read
  // so, or of two changes at once one is lost, be it a revocation.
  [[nodiscard]] virtual Result<SmtpCredential> hold_smtp_credential(std::string_view name) = 0;
  // Settings, secrets, `revoked`, and what it is held for, of the one with this account and name.
  // conflict: the uid is taken.
  [[nodiscard]] virtual Result<void> change_smtp_credential(const SmtpCredential& credential) = 0;
  // Its owner is told: credential_held or credential_released.
  virtual void tell_of_smtp_credential(EventKind kind, const SmtpCredential& credential) = 0;
  // It was used now. Nothing where it is not there.
  [[nodiscard]] virtual Result<void> use_smtp_credential(std::string_view name) = 0;
  // What the relay knows of how it is used, as it packs it.
  [[nodiscard]] virtual Result<void> keep_smtp_habits(std::string_view name,
                                                      std::string_view habits) = 0;
};

}  // namespace todoku::store
