// SPDX-License-Identifier: Apache-2.0
// User names of the SMTP relay (store/smtp_credentials.h).
#include <utility>

#include "store/last_use.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

#define SMTP_CREDENTIAL_COLUMNS                                                                    \
  "name, account, settings, secret, previous_secret, previous_until, created, revoked, uid, held," \
  " held_because, released, used"

const Sql kOneSmtpCredential{"smtp credentials: one", "SELECT " SMTP_CREDENTIAL_COLUMNS
                                                      " FROM smtp_credentials WHERE name = $1"};
const Sql kHoldSmtpCredential{"smtp credentials: hold",
                              "SELECT " SMTP_CREDENTIAL_COLUMNS
                              " FROM smtp_credentials WHERE name = $1 FOR UPDATE"};
const Sql kSmtpCredentialOfUid{"smtp credentials: of a uid",
                               "SELECT " SMTP_CREDENTIAL_COLUMNS
                               " FROM smtp_credentials WHERE uid = $1 AND revoked IS NULL"};
const Sql kSmtpCredentials{"smtp credentials: all", "SELECT " SMTP_CREDENTIAL_COLUMNS
                                                    " FROM smtp_credentials WHERE name > $1"
                                                    " ORDER BY name LIMIT $2"};
const Sql kSmtpCredentialsOf{"smtp credentials: of an account",
                             "SELECT " SMTP_CREDENTIAL_COLUMNS
                             " FROM smtp_credentials WHERE account = $3 AND name > $1"
                             " ORDER BY name LIMIT $2"};
// Of two that make the last that an account may have, one waits for the other.
const Sql kLockSmtpOwner{"smtp credentials: lock account",
                         "SELECT key FROM accounts WHERE key = $1 FOR NO KEY UPDATE"};
const Sql kCountSmtpCredentials{"smtp credentials: count",
                                "SELECT count(*) FROM smtp_credentials WHERE account = $1"};
const Sql kInsertSmtpCredential{
    "smtp credentials: insert",
    "INSERT INTO smtp_credentials(name, account, settings, secret, previous_secret, previous_until,"
    " created, revoked, uid) VALUES($1, $2, $3, $4, $5, $6, $7, NULL, $8) ON CONFLICT DO NOTHING"};
const Sql kChangeSmtpCredential{
    "smtp credentials: change",
    "UPDATE smtp_credentials SET settings = $3, secret = $4, previous_secret = $5,"
    " previous_until = $6, revoked = $7, uid = $8, held = $9, held_because = $10, released = $11"
    " WHERE name = $1 AND account = $2"};
const Sql kHeldSmtpCredentials{"smtp credentials: held",
                               "SELECT name FROM smtp_credentials WHERE held IS NOT NULL"
                               " ORDER BY name LIMIT $1"};
const Sql kSmtpHabits{"smtp credentials: habits", "SELECT habits FROM smtp_habits WHERE name = $1"};
const Sql kUseSmtpCredential{"smtp credentials: use",
                             "UPDATE smtp_credentials SET used = $2 WHERE name = $1"
                             " AND (used IS NULL OR used < $2)"};
const Sql kKeepSmtpHabits{"smtp credentials: keep habits",
                          "INSERT INTO smtp_habits(name, habits) VALUES($1, $2)"
                          " ON CONFLICT(name) DO UPDATE SET habits = excluded.habits"};

Result<SmtpCredential> smtp_credential_in(const Table& rows, int row) {
  SmtpCredential found;
  found.name = rows.text(row, 0);
  found.account = AccountKey{rows.integer(row, 1)};
  auto settings = unpack_smtp_settings(rows.text(row, 2));
  if (!settings) return fail(std::move(settings.error()));
  found.settings = std::move(*settings);
  found.secret = rows.text(row, 3);
  found.previous_secret = rows.text(row, 4);
  found.previous_until = rows.optional_instant(row, 5);
  found.created = rows.instant(row, 6);
  found.revoked = rows.optional_instant(row, 7);
  if (!rows.null(row, 8)) found.settings.uid = static_cast<std::uint32_t>(rows.integer(row, 8));
  found.held = rows.optional_instant(row, 9);
  found.held_because = rows.text(row, 10);
  found.released = rows.optional_instant(row, 11);
  found.used = rows.optional_instant(row, 12);
  return found;
}

std::unexpected<Error> no_such_credential() {
  return fail(ErrorKind::not_found, "there is no such SMTP credential");
}

Result<SmtpCredential> the_credential(const Result<Table>& rows) {
  if (!rows) return fail(rows.error());
  return rows->empty() ? no_such_credential() : smtp_credential_in(*rows, 0);
}

}  // namespace

Result<SmtpCredential> Questions::smtp_credential(std::string_view name) {
  return the_credential(session_.ask(kOneSmtpCredential, Params() << name));
}

Result<SmtpCredential> Questions::smtp_credential_of_uid(std::uint32_t uid) {
  return the_credential(session_.ask(kSmtpCredentialOfUid, Params() << uid));
}

Result<std::vector<SmtpCredential>> Questions::smtp_credentials(std::optional<AccountKey> account,
                                                                std::string_view after,
                                                                std::int64_t limit) {
  const auto rows = account
                        ? session_.ask(kSmtpCredentialsOf, Params() << after << limit << *account)
                        : session_.ask(kSmtpCredentials, Params() << after << limit);
  if (!rows) return fail(rows.error());
  std::vector<SmtpCredential> all;
  for (int row = 0; row < rows->size(); ++row) {
    auto found = smtp_credential_in(*rows, row);
    if (!found) return fail(std::move(found.error()));
    all.push_back(std::move(*found));
  }
  return all;
}

Result<std::vector<std::string>> Questions::held_smtp_credentials(std::int64_t limit) {
  const auto rows = session_.ask(kHeldSmtpCredentials, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<std::string> names;
  for (int row = 0; row < rows->size(); ++row) names.emplace_back(rows->text(row, 0));
  return names;
}

Result<std::string> Questions::smtp_habits(std::string_view name) {
  const auto rows = session_.ask(kSmtpHabits, Params() << name);
  if (!rows) return fail(rows.error());
  return rows->empty() ? std::string() : std::string(rows->text(0, 0));
}

Result<SmtpCredential> Changes::hold_smtp_credential(std::string_view name) {
  return the_credential(session_.ask(kHoldSmtpCredential, Params() << name));
}

// Who asks for a uid has told of a change before: that row is held until the commit, so of two who
// ask for the same one the second finds it taken.
Result<void> Changes::check_uid_free(const SmtpCredential& credential) {
  if (!credential.settings.uid || credential.revoked) return {};
  const auto holder = questions_.smtp_credential_of_uid(*credential.settings.uid);
  if (holder) {
    return holder->name == credential.name ? Result<void>() : smtp_credential_uid_taken();
  }
  return holder.error().kind == ErrorKind::not_found ? Result<void>() : fail(holder.error());
}

Result<SmtpCredential> Changes::add_smtp_credential(const SmtpCredential& credential) {
  if (auto sound = check_sound(credential); !sound) return fail(std::move(sound.error()));
  const auto owner = session_.ask(kLockSmtpOwner, Params() << credential.account);
  if (!owner) return fail(owner.error());
  if (owner->empty()) return fail(ErrorKind::not_found, "there is no such account");
  const auto count = session_.ask(kCountSmtpCredentials, Params() << credential.account);
  if (!count) return fail(count.error());
  if (count->integer(0, 0) >= kSmtpCredentialsMax) return too_many_smtp_credentials();
  SmtpCredential made = credential;
  made.created = session_.now();
  made.revoked.reset();
  auto free = changed(Topic::smtp_credentials);
  if (free) free = check_uid_free(made);
  if (!free) return fail(std::move(free.error()));
  const std::string settings = pack_smtp_settings(credential.settings);
  const auto done = session_.ask(kInsertSmtpCredential,
                                 Params() << std::string_view(credential.name) << credential.account
                                          << Octets{settings} << std::string_view(credential.secret)
                                          << std::string_view(credential.previous_secret)
                                          << credential.previous_until << made.created
                                          << credential.settings.uid);
  if (!done) return fail(done.error());
  if (done->changes() == 0) return smtp_credential_name_taken();
  return made;
}

Result<void> Changes::change_smtp_credential(const SmtpCredential& credential) {
  auto fit = check_sound(credential);
  if (fit) fit = changed(Topic::smtp_credentials);
  // Couriers hear of a hold by their own topic.
  if (fit) fit = changed(Topic::held);
  if (fit) fit = check_uid_free(credential);
  if (!fit) return fit;
  const std::string settings = pack_smtp_settings(credential.settings);
  const auto done = session_.ask(
      kChangeSmtpCredential,
      Params() << std::string_view(credential.name) << credential.account << Octets{settings}
               << std::string_view(credential.secret)
               << std::string_view(credential.previous_secret) << credential.previous_until
               << credential.revoked << credential.settings.uid << credential.held
               << std::string_view(credential.held_because) << credential.released);
  if (!done) return fail(done.error());
  if (done->changes() == 0) return no_such_credential();
  return {};
}

void Changes::tell_of_smtp_credential(EventKind kind, const SmtpCredential& credential) {
  events_.add(credential.account,
              event_of_credential(kind, credential.name, credential.held_because, session_.now()));
}

Result<void> Changes::use_smtp_credential(std::string_view name) {
  const auto done =
      session_.ask(kUseSmtpCredential, Params() << name << hour_of_use(session_.now()));
  if (!done) return fail(done.error());
  return {};
}

Result<void> Changes::keep_smtp_habits(std::string_view name, std::string_view habits) {
  const auto kept = session_.ask(kKeepSmtpHabits, Params() << name << Octets{habits});
  if (!kept) return fail(kept.error());
  return {};
}

}  // namespace todoku::store::postgres
