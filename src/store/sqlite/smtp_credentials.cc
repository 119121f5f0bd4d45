// SPDX-License-Identifier: Apache-2.0
// User names of the SMTP relay (store/smtp_credentials.h).
#include <utility>

#include "store/last_use.h"
#include "store/sqlite/queries.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {
namespace {

Result<SmtpCredential> smtp_credential_in(const Query& row) {
  SmtpCredential found;
  found.name = row.text(0);
  found.account = AccountKey{row.integer(1)};
  auto settings = unpack_smtp_settings(row.blob(2));
  if (!settings) return fail(std::move(settings.error()));
  found.settings = std::move(*settings);
  found.secret = row.text(3);
  found.previous_secret = row.text(4);
  found.previous_until = row.optional_instant(5);
  found.created = row.instant(6);
  found.revoked = row.optional_instant(7);
  if (!row.is_null(8)) found.settings.uid = static_cast<std::uint32_t>(row.integer(8));
  found.held = row.optional_instant(9);
  found.held_because = row.text(10);
  found.released = row.optional_instant(11);
  found.used = row.optional_instant(12);
  return found;
}

std::unexpected<Error> no_such_credential() {
  return fail(ErrorKind::not_found, "there is no such SMTP credential");
}

}  // namespace

Result<SmtpCredential> Queries::smtp_credential(std::string_view name) {
  auto query = db_.query(
      "SELECT name, account, settings, secret, previous_secret, previous_until, created, revoked,"
      " uid, held, held_because, released, used FROM smtp_credentials WHERE name = ?");
  query.bind(name);
  if (query.next()) return smtp_credential_in(query);
  if (query.failed()) return fail(query.error());
  return no_such_credential();
}

Result<SmtpCredential> Queries::smtp_credential_of_uid(std::uint32_t uid) {
  auto query = db_.query(
      "SELECT name, account, settings, secret, previous_secret, previous_until, created, revoked,"
      " uid, held, held_because, released, used FROM smtp_credentials WHERE uid = ? AND revoked IS "
      "NULL");
  query.bind(uid);
  if (query.next()) return smtp_credential_in(query);
  if (query.failed()) return fail(query.error());
  return no_such_credential();
}

Result<std::vector<SmtpCredential>> Queries::smtp_credentials(std::optional<AccountKey> account,
                                                              std::string_view after,
                                                              std::int64_t limit) {
  auto query = account ? db_.query(
                             "SELECT name, account, settings, secret, previous_secret,"
                             " previous_until, created, revoked, uid, held, held_because, released,"
                             " used"
                             " FROM smtp_credentials"
                             " WHERE account = ?1 AND name > ?2 ORDER BY name LIMIT ?3")
                       : db_.query(
                             "SELECT name, account, settings, secret, previous_secret,"
                             " previous_until, created, revoked, uid, held, held_because, released,"
                             " used"
                             " FROM smtp_credentials"
                             " WHERE ?1 IS NULL AND name > ?2 ORDER BY name LIMIT ?3");
  query.bind(account ? std::optional(static_cast<std::int64_t>(*account)) : std::nullopt, after,
             limit);
  std::vector<SmtpCredential> all;
  while (query.next()) {
    auto found = smtp_credential_in(query);
    if (!found) return fail(std::move(found.error()));
    all.push_back(std::move(*found));
  }
  if (query.failed()) return fail(query.error());
  return all;
}

Result<std::vector<std::string>> Queries::held_smtp_credentials(std::int64_t limit) {
  auto query =
      db_.query("SELECT name FROM smtp_credentials WHERE held IS NOT NULL ORDER BY name LIMIT ?");
  query.bind(limit);
  std::vector<std::string> names;
  while (query.next()) names.emplace_back(query.text(0));
  if (query.failed()) return fail(query.error());
  return names;
}

Result<std::string> Queries::smtp_habits(std::string_view name) {
  auto query = db_.query("SELECT habits FROM smtp_habits WHERE name = ?");
  query.bind(name);
  if (query.next()) return std::string(query.blob(0));
  if (query.failed()) return fail(query.error());
  return std::string();
}

Result<void> SqliteWriteTransaction::check_uid_free(const SmtpCredential& credential) {
  if (!credential.settings.uid || credential.revoked) return {};
  const auto holder = queries_.smtp_credential_of_uid(*credential.settings.uid);
  if (holder) {
    return holder->name == credential.name ? Result<void>() : smtp_credential_uid_taken();
  }
  return holder.error().kind == ErrorKind::not_found ? Result<void>() : fail(holder.error());
}

Result<SmtpCredential> SqliteWriteTransaction::hold_smtp_credential(std::string_view name) {
  return queries_.smtp_credential(name);
}

Result<SmtpCredential> SqliteWriteTransaction::add_smtp_credential(
    const SmtpCredential& credential) {
  if (auto sound = check_sound(credential); !sound) return fail(std::move(sound.error()));
  const auto owner = queries_.account(credential.account);
  if (!owner) return fail(owner.error());
  auto count = db_.query("SELECT count(*) FROM smtp_credentials WHERE account = ?");
  count.bind(credential.account);
  if (!count.next()) return fail(count.error());
  if (count.integer(0) >= kSmtpCredentialsMax) return too_many_smtp_credentials();
  SmtpCredential made = credential;
  made.created = now_;
  made.revoked.reset();
  if (auto free = check_uid_free(made); !free) return fail(std::move(free.error()));
  const std::string settings = pack_smtp_settings(credential.settings);
  auto done =
      db_.query(
             "INSERT INTO smtp_credentials(name, account, settings, secret,"
             " previous_secret, previous_until, created, revoked, uid)"
             " VALUES(?, ?, ?, ?, ?, ?, ?, NULL, ?) ON CONFLICT DO NOTHING")
          .bind(std::string_view(credential.name), credential.account, Blob{settings},
                std::string_view(credential.secret), std::string_view(credential.previous_secret),
                credential.previous_until, now_, credential.settings.uid)
          .run();
  if (!done) return fail(std::move(done.error()));
  if (db_.changes() == 0) return smtp_credential_name_taken();
  if (auto told = changed(Topic::smtp_credentials); !told) return fail(std::move(told.error()));
  return made;
}

Result<void> SqliteWriteTransaction::change_smtp_credential(const SmtpCredential& credential) {
  auto fit = check_sound(credential);
  if (fit) fit = check_uid_free(credential);
  if (!fit) return fit;
  const std::string settings = pack_smtp_settings(credential.settings);
  auto done = db_.query(
                     "UPDATE smtp_credentials SET settings = ?, secret = ?, previous_secret = ?,"
                     " previous_until = ?, revoked = ?, uid = ?, held = ?, held_because = ?,"
                     " released = ? WHERE name = ? AND account = ?")
                  .bind(Blob{settings}, std::string_view(credential.secret),
                        std::string_view(credential.previous_secret), credential.previous_until,
                        credential.revoked, credential.settings.uid, credential.held,
                        std::string_view(credential.held_because), credential.released,
                        std::string_view(credential.name), credential.account)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return no_such_credential();
  // Couriers hear of a hold by their own topic.
  if (auto told = changed(Topic::held); !told) return told;
  return changed(Topic::smtp_credentials);
}

void SqliteWriteTransaction::tell_of_smtp_credential(EventKind kind,
                                                     const SmtpCredential& credential) {
  events_.add(credential.account,
              event_of_credential(kind, credential.name, credential.held_because, now_));
}

Result<void> SqliteWriteTransaction::use_smtp_credential(std::string_view name) {
  return db_
      .query(
          "UPDATE smtp_credentials SET used = ?1 WHERE name = ?2 AND (used IS NULL OR used < ?1)")
      .bind(hour_of_use(now_), name)
      .run();
}

Result<void> SqliteWriteTransaction::keep_smtp_habits(std::string_view name,
                                                      std::string_view habits) {
  return db_
      .query(
          "INSERT INTO smtp_habits(name, habits) VALUES(?, ?)"
          " ON CONFLICT(name) DO UPDATE SET habits = excluded.habits")
      .bind(name, Blob{habits})
      .run();
}

}  // namespace todoku::store::sqlite
