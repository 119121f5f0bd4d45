// SPDX-License-Identifier: Apache-2.0
// Questions about settings, accounts, keys and imports.
#include <fmt/format.h>

#include "store/api_keys.h"
#include "store/sqlite/queries.h"

namespace todoku::store::sqlite {
namespace {

Account account_in(const Query& row) {
  Account account;
  account.key = AccountKey{row.integer(0)};
  account.name = row.text(1);
  account.weight = static_cast<std::uint32_t>(row.integer(2));
  account.suspended = row.flag(3);
  account.created = row.instant(4);
  account.text_from_html = row.flag(5);
  account.open_tracking = row.flag(6);
  account.limits = {.requests_per_minute = row.integer(7),
                    .mails_per_minute = row.integer(8),
                    .mails_per_day = row.integer(9),
                    .mails_per_month = row.integer(10)};
  account.preflight = static_cast<PreflightMode>(row.integer(11));
  account.sandbox = row.flag(12);
  account.allowed_recipients = row.text(13);
  return account;
}

Result<Account> one_account(Query& query) {
  if (query.next()) return account_in(query);
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::not_found, "there is no such account");
}

// From column `at` on: id, label, created, revoked, scopes, networks, expires, life, used.
ApiKey key_in(const Query& row, int at) {
  return {
      .id = row.integer(at),
      .label = std::string(row.text(at + 1)),
      .created = row.instant(at + 2),
      .revoked = row.optional_instant(at + 3),
      .scopes = static_cast<Scopes>(row.integer(at + 4)),
      .networks = unpack_networks(row.text(at + 5)),
      .expires = row.optional_instant(at + 6),
      .life = row.is_null(at + 7) ? std::nullopt : std::optional<Milliseconds>(row.integer(at + 7)),
      .used = row.optional_instant(at + 8),
      .made_by = PersonKey{row.integer(at + 9)}};
}

ImportJob job_in(const Query& row) {
  ImportJob job;
  job.id = row.integer(0);
  job.account = AccountKey{row.integer(1)};
  job.delivery = DeliveryKey{row.integer(2)};
  job.delivery_id = row.integer(3);
  job.status = static_cast<ImportStatus>(row.integer(4));
  job.ignore_errors = row.flag(5);
  job.immediate = row.flag(6);
  job.percentage = static_cast<std::int32_t>(row.integer(7));
  job.success_count = row.integer(8);
  job.failed_count = row.integer(9);
  job.total_count = row.integer(10);
  job.upload = row.text(11);
  job.errors = row.text(12);
  job.created = row.instant(13);
  job.keep_duplicates = row.flag(14);
  job.language = static_cast<Language>(row.integer(15));
  job.folded = row.integer(16);
  job.form = static_cast<ImportForm>(row.integer(17));
  job.dry_run = row.flag(18);
  job.findings = row.text(19);
  job.asked_by = {.actor = std::string(row.text(20)), .person = PersonKey{row.integer(21)}};
  return job;
}

}  // namespace

Result<std::optional<std::string>> Queries::setting(std::string_view name) {
  auto query = db_.query("SELECT value FROM settings WHERE name = ?");
  query.bind(name);
  if (query.next()) return std::string(query.blob(0));
  if (query.failed()) return fail(query.error());
  return std::nullopt;
}

Result<ChangeNumbers> Queries::change_numbers() {
  ChangeNumbers numbers;
  auto query = db_.query("SELECT topic, number FROM changes");
  while (query.next()) numbers.set(query.integer(0), query.integer(1));
  if (query.failed()) return fail(query.error());
  return numbers;
}

Result<std::vector<Account>> Queries::accounts(AccountKey after, std::int64_t limit) {
  std::vector<Account> accounts;
  auto query = db_.query(
      "SELECT key, name, weight, suspended, created, text_from_html, open_tracking, "
      "requests_per_minute,"
      " mails_per_minute, mails_per_day, mails_per_month, preflight, sandbox,"
      " allowed_recipients FROM accounts WHERE key > ?"
      " ORDER BY key LIMIT ?");
  query.bind(after, limit);
  while (query.next()) accounts.push_back(account_in(query));
  if (query.failed()) return fail(query.error());
  return accounts;
}

Result<std::vector<Account>> Queries::suspended_accounts(std::int64_t limit) {
  std::vector<Account> accounts;
  auto query = db_.query(
      "SELECT key, name, weight, suspended, created, text_from_html, open_tracking, "
      "requests_per_minute,"
      " mails_per_minute, mails_per_day, mails_per_month, preflight, sandbox,"
      " allowed_recipients FROM accounts"
      " INDEXED BY accounts_suspended WHERE suspended = 1 ORDER BY key LIMIT ?");
  query.bind(limit);
  while (query.next()) accounts.push_back(account_in(query));
  if (query.failed()) return fail(query.error());
  return accounts;
}

Result<Account> Queries::account(AccountKey key) {
  auto query = db_.query(
      "SELECT key, name, weight, suspended, created, text_from_html, open_tracking, "
      "requests_per_minute,"
      " mails_per_minute, mails_per_day, mails_per_month, preflight, sandbox,"
      " allowed_recipients FROM accounts WHERE key = ?");
  return one_account(query.bind(key));
}

Result<Account> Queries::account_by_name(std::string_view name) {
  auto query = db_.query(
      "SELECT key, name, weight, suspended, created, text_from_html, open_tracking, "
      "requests_per_minute,"
      " mails_per_minute, mails_per_day, mails_per_month, preflight, sandbox,"
      " allowed_recipients FROM accounts WHERE name = ?");
  return one_account(query.bind(name));
}

Result<KeyHolder> Queries::key_by_token(std::string_view token_sha256) {
  auto query = db_.query(
      "SELECT a.key, a.name, a.weight, a.suspended, a.created, a.text_from_html, a.open_tracking,"
      " a.requests_per_minute, a.mails_per_minute, a.mails_per_day, a.mails_per_month, "
      "a.preflight, a.sandbox, a.allowed_recipients, k.id, "
      "k.label,"
      " k.created, k.revoked, k.scopes, k.networks, k.expires, k.life, k.used, k.made_by"
      " FROM api_keys k"
      " JOIN accounts a ON a.key = k.account WHERE k.token = ? AND k.revoked IS NULL");
  query.bind(token_sha256);
  constexpr int kAccountColumns = 14;
  if (query.next()) return KeyHolder{account_in(query), key_in(query, kAccountColumns)};
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::not_found, "there is no such API key");
}

Result<std::vector<ApiKey>> Queries::api_keys(AccountKey account) {
  std::vector<ApiKey> keys;
  auto query = db_.query(
      "SELECT id, label, created, revoked, scopes, networks, expires, life, used, made_by"
      " FROM api_keys"
      " WHERE account = ? ORDER BY id");
  query.bind(account);
  while (query.next()) keys.push_back(key_in(query, 0));
  if (query.failed()) return fail(query.error());
  return keys;
}

Result<std::map<AccountKey, std::int64_t>> Queries::active_keys(AccountKey first, AccountKey last) {
  std::map<AccountKey, std::int64_t> counts;
  auto query = db_.query(
      "SELECT account FROM api_keys WHERE account BETWEEN ? AND ? AND revoked IS NULL"
      " AND (expires IS NULL OR expires > ?)");
  query.bind(first, last, now_);
  while (query.next()) ++counts[AccountKey{query.integer(0)}];
  if (query.failed()) return fail(query.error());
  return counts;
}

Result<std::vector<DkimKey>> Queries::dkim_keys(const DkimPlace& after, std::int64_t limit) {
  std::vector<DkimKey> keys;
  auto query = db_.query(
      "SELECT account, domain, selector, algorithm, sealed, dns_record, created FROM dkim_keys"
      " WHERE (account, domain, selector) > (?, ?, ?) ORDER BY account, domain, selector LIMIT ?");
  query.bind(after.account, std::string_view(after.domain), std::string_view(after.selector),
             limit);
  while (query.next()) {
    DkimKey& key = keys.emplace_back();
    key.account = AccountKey{query.integer(0)};
    key.domain = query.text(1);
    key.selector = query.text(2);
    key.algorithm = query.text(3);
    key.sealed_private_key = query.blob(4);
    key.dns_record = query.text(5);
    key.created = query.instant(6);
  }
  if (query.failed()) return fail(query.error());
  return keys;
}

Result<ImportJob> Queries::import_job(AccountKey account, PublicId id) {
  auto query = db_.query(
      "SELECT j.id, j.account, j.delivery, d.id, j.status, j.ignore_errors, j.immediate,"
      " j.percentage, j.success, j.failed, j.total, j.upload_file || j.dry_file, j.error_file,"
      " j.created, j.keep_duplicates, j.language, j.folded, j.form, j.dry_run, j.findings,"
      " j.asked_by, j.asked_person"
      " FROM import_jobs j JOIN deliveries d ON d.key = j.delivery"
      " WHERE j.account = ? AND j.id = ? AND d.deleted = 0");
  query.bind(account, id);
  if (query.next()) return job_in(query);
  if (query.failed()) return fail(query.error());
  return fail(ErrorKind::not_found, fmt::format("there is no import job {}", id));
}

Result<std::vector<ImportJob>> Queries::running_imports(NodeKey node) {
  std::vector<ImportJob> jobs;
  auto query = db_.query(
      "SELECT j.id, j.account, j.delivery, d.id, j.status, j.ignore_errors, j.immediate,"
      " j.percentage, j.success, j.failed, j.total, j.upload_file || j.dry_file, j.error_file,"
      " j.created, j.keep_duplicates, j.language, j.folded, j.form, j.dry_run, j.findings,"
      " j.asked_by, j.asked_person"
      " FROM import_jobs j JOIN deliveries d ON d.key = j.delivery"
      " WHERE j.status = 1 AND d.deleted = 0 AND (j.node = ?"
      " OR NOT EXISTS (SELECT 1 FROM nodes n WHERE n.key = j.node AND n.void = 0))"
      " ORDER BY j.created, j.account, j.id");
  query.bind(node);
  while (query.next()) jobs.push_back(job_in(query));
  if (query.failed()) return fail(query.error());
  return jobs;
}

Result<std::vector<std::string>> Queries::waiting_lists(AccountKey account) {
  std::vector<std::string> names;
  auto query =
      db_.query("SELECT upload_file || dry_file FROM import_jobs WHERE status = 1 AND account = ?");
  query.bind(account);
  while (query.next()) names.emplace_back(query.text(0));
  if (query.failed()) return fail(query.error());
  return names;
}

Result<std::vector<std::string>> Queries::import_errors(DeliveryKey key) {
  std::vector<std::string> names;
  auto query =
      db_.query("SELECT error_file FROM import_jobs WHERE delivery = ? AND error_file <> ''");
  query.bind(key);
  while (query.next()) names.emplace_back(query.text(0));
  if (query.failed()) return fail(query.error());
  return names;
}

}  // namespace todoku::store::sqlite
