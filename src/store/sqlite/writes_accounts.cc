// SPDX-License-Identifier: Apache-2.0
// Changes of settings, accounts and keys; and what the owner of the writer asks of it.
#include <fmt/format.h>

#include "store/api_keys.h"
#include "store/last_use.h"
#include "store/sqlite/transactions.h"

namespace todoku::store::sqlite {

Result<void> SqliteWriteTransaction::load_figures() {
  std::int64_t waiting = 0;
  for (const auto& sql :
       {Sql("SELECT sum(open) FROM batches WHERE traffic = 0 AND ready_at IS NOT NULL"),
        Sql("SELECT sum(open) FROM batches WHERE holder <> 0 AND traffic = 0")}) {
    const auto some = db_.integer(sql);
    if (!some) return fail(some.error());
    waiting += *some;
  }
  figures_.transactional_waiting = waiting;
  return {};
}

void SqliteWriteTransaction::committed() {
  figures_.transactional_waiting += std::exchange(waiting_, 0);
  if (std::exchange(dictionary_replaced_, false)) ++figures_.dictionary_replaced;
  counters_.committed();
}

void SqliteWriteTransaction::rolled_back(const Mark& mark) {
  waiting_ = mark.waiting;
  counters_.undo(mark.counters);
  events_.undo(mark.events);
  queries_.dictionary().forget();
}

void SqliteWriteTransaction::lost(bool in_doubt) {
  if (in_doubt) counters_.doubt();
  rolled_back({});
}

Result<void> SqliteWriteTransaction::put_setting(std::string_view name, std::string_view value) {
  return db_.query("INSERT OR REPLACE INTO settings(name, value) VALUES(?, ?)")
      .bind(name, Blob{value})
      .run();
}

Result<std::string> SqliteWriteTransaction::put_setting_once(std::string_view name,
                                                             std::string_view value) {
  auto there = queries_.setting(name);
  if (!there) return fail(std::move(there.error()));
  if (*there) return std::move(**there);
  auto put = put_setting(name, value);
  if (!put) return fail(std::move(put.error()));
  return std::string(value);
}

// Who keeps something of it in memory reads it anew.
Result<void> SqliteWriteTransaction::changed(Topic topic) {
  return db_
      .query(
          "INSERT INTO changes(topic, number) VALUES(?, 1)"
          " ON CONFLICT(topic) DO UPDATE SET number = number + 1")
      .bind(topic)
      .run();
}

Result<Account> SqliteWriteTransaction::create_account(std::string_view name, bool sandbox) {
  if (name.empty()) return fail(ErrorKind::invalid_input, "the name of an account is empty");
  const auto present = queries_.account_by_name(name);
  if (present) {
    return fail(ErrorKind::conflict, fmt::format("an account {} is there already", name));
  }
  if (present.error().kind != ErrorKind::not_found) return fail(present.error());
  auto done = db_.query(
                     "INSERT INTO accounts(name, weight, suspended, created, next_delivery_id,"
                     " next_email_id, next_job_id, sandbox) VALUES(?, 1, 0, ?, 1, 1, 1, ?)")
                  .bind(name, now_, sandbox)
                  .run();
  if (done) done = changed(Topic::accounts);
  if (!done) return fail(std::move(done.error()));
  return queries_.account_by_name(name);
}

Result<void> SqliteWriteTransaction::change_account(const Account& account) {
  if (account.weight < kAccountWeightMin || account.weight > kAccountWeightMax) {
    return fail(ErrorKind::invalid_input,
                fmt::format("weight {} is not in the range {} to {}", account.weight,
                            kAccountWeightMin, kAccountWeightMax));
  }
  auto done =
      db_.query(
             "UPDATE accounts SET weight = ?, suspended = ?, text_from_html = ?,"
             " open_tracking = ?,"
             " requests_per_minute = ?, mails_per_minute = ?, mails_per_day = ?,"
             " mails_per_month = ?, preflight = ?, allowed_recipients = ? WHERE key = ?")
          .bind(account.weight, account.suspended, account.text_from_html, account.open_tracking,
                account.limits.requests_per_minute, account.limits.mails_per_minute,
                account.limits.mails_per_day, account.limits.mails_per_month, account.preflight,
                std::string_view(account.allowed_recipients), account.key)
          .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::not_found, "there is no such account");
  return changed(Topic::accounts);
}

Result<ApiKey> SqliteWriteTransaction::add_api_key(AccountKey account, const NewApiKey& key) {
  const auto owner = queries_.account(account);
  if (!owner) return fail(owner.error());
  {
    auto taken = db_.query("SELECT 1 FROM api_keys WHERE token = ?");
    taken.bind(std::string_view(key.token_sha256));
    if (taken.next()) return fail(ErrorKind::conflict, "this token is in use already");
    if (taken.failed()) return fail(taken.error());
  }
  ApiKey made = made_of(key, 0, now_);
  const std::string networks = pack_networks(made.networks);
  auto done = db_.query(
                     "INSERT INTO api_keys(account, label, token, created, scopes, networks,"
                     " expires, life, made_by) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)")
                  .bind(account, std::string_view(made.label), std::string_view(key.token_sha256),
                        made.created, made.scopes, std::string_view(networks), made.expires,
                        life_ms(made), made.made_by)
                  .run();
  if (!done) return fail(std::move(done.error()));
  made.id = sqlite3_last_insert_rowid(db_.raw());
  if (auto told = changed(Topic::api_keys); !told) return fail(std::move(told.error()));
  return made;
}

Result<void> SqliteWriteTransaction::revoke_api_key(AccountKey account, std::int64_t id) {
  auto done =
      db_.query("UPDATE api_keys SET revoked = coalesce(revoked, ?) WHERE account = ? AND id = ?")
          .bind(now_, account, id)
          .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::not_found, "there is no such API key");
  return changed(Topic::api_keys);
}

Result<void> SqliteWriteTransaction::expire_api_key(AccountKey account, std::int64_t id,
                                                    Milliseconds in) {
  auto key = db_.query("SELECT revoked FROM api_keys WHERE account = ? AND id = ?");
  key.bind(account, id);
  if (!key.next()) {
    if (key.failed()) return fail(key.error());
    return fail(ErrorKind::not_found, "there is no such API key");
  }
  if (key.optional_instant(0)) return fail(ErrorKind::conflict, "this API key is revoked");
  const Instant at = now_ + in;
  auto done = db_.query("UPDATE api_keys SET expires = min(coalesce(expires, ?), ?) WHERE id = ?")
                  .bind(at, at, id)
                  .run();
  return done ? changed(Topic::api_keys) : done;
}

// No change that anybody has to read anew (changes.h).
Result<void> SqliteWriteTransaction::use_api_keys(std::span<const std::int64_t> ids) {
  for (const std::int64_t id : ids) {
    auto done = db_.query(
                       "UPDATE api_keys SET used = ?1 WHERE id = ?2"
                       " AND (used IS NULL OR used < ?1)")
                    .bind(hour_of_use(now_), id)
                    .run();
    if (!done) return done;
  }
  return {};
}

Result<void> SqliteWriteTransaction::put_dkim_key(const DkimKey& key) {
  const auto owner = queries_.account(key.account);
  if (!owner) return fail(owner.error());
  auto done =
      db_.query(
             "INSERT INTO dkim_keys(account, domain, selector, algorithm, sealed, dns_record,"
             " created) VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING")
          .bind(key.account, std::string_view(key.domain), std::string_view(key.selector),
                std::string_view(key.algorithm), Blob{key.sealed_private_key},
                std::string_view(key.dns_record), now_)
          .run();
  if (done && db_.changes() == 0) {
    return fail(ErrorKind::conflict,
                fmt::format("there is a DKIM key {} of {} already", key.selector, key.domain));
  }
  return done ? changed(Topic::dkim_keys) : done;
}

Result<void> SqliteWriteTransaction::remove_dkim_key(AccountKey account, std::string_view domain,
                                                     std::string_view selector) {
  auto done = db_.query("DELETE FROM dkim_keys WHERE account = ? AND domain = ? AND selector = ?")
                  .bind(account, domain, selector)
                  .run();
  if (!done) return done;
  if (db_.changes() == 0) return fail(ErrorKind::not_found, "there is no such DKIM key");
  return changed(Topic::dkim_keys);
}

}  // namespace todoku::store::sqlite
