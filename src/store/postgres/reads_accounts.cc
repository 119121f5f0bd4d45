// SPDX-License-Identifier: Apache-2.0
// Questions about settings, accounts and keys.
#include <fmt/format.h>

#include "store/api_keys.h"
#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kSetting{"accounts: setting", "SELECT value FROM settings WHERE name = $1"};
const Sql kChangeNumbers{"accounts: change numbers", "SELECT topic, number FROM changes"};

#define ACCOUNT_COLUMNS                                                                        \
  "key, name, weight, suspended, text_from_html, created, open_tracking, requests_per_minute," \
  " mails_per_minute, mails_per_day, mails_per_month, preflight, sandbox, allowed_recipients"
#define KEY_COLUMNS "id, label, created, revoked, scopes, networks, expires, life, used, made_by"
const Sql kAccount{"accounts: one", "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE key = $1"};
const Sql kAccountByName{"accounts: by name",
                         "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE name = $1"};

const Sql kAccounts{"accounts: page", "SELECT " ACCOUNT_COLUMNS
                                      " FROM accounts WHERE key > $1 ORDER BY key LIMIT $2"};
const Sql kSuspendedAccounts{"accounts: suspended",
                             "SELECT " ACCOUNT_COLUMNS
                             " FROM accounts WHERE suspended = 1 ORDER BY key LIMIT $1"};
const Sql kKeyByToken{
    "accounts: key by token",
    "SELECT a.key, a.name, a.weight, a.suspended, a.text_from_html, a.created, a.open_tracking,"
    " a.requests_per_minute, a.mails_per_minute, a.mails_per_day, a.mails_per_month, a.preflight,"
    " a.sandbox, a.allowed_recipients, k.id, k.label,"
    " k.created, k.revoked, k.scopes, k.networks, k.expires, k.life, k.used, k.made_by"
    " FROM api_keys k JOIN accounts a ON a.key = k.account"
    " WHERE k.token = $1 AND k.revoked IS NULL"};
const Sql kApiKeys{"accounts: API keys",
                   "SELECT " KEY_COLUMNS " FROM api_keys WHERE account = $1 ORDER BY id"};
const Sql kActiveKeys{"accounts: active keys",
                      "SELECT account, count(*) FROM api_keys WHERE account BETWEEN $1 AND $2"
                      " AND revoked IS NULL AND (expires IS NULL OR expires > $3)"
                      " GROUP BY account"};
const Sql kDkimKeys{"accounts: DKIM keys",
                    "SELECT account, domain, selector, algorithm, sealed, dns_record, created"
                    " FROM dkim_keys WHERE (account, domain, selector) > ($1, $2, $3)"
                    " ORDER BY account, domain, selector LIMIT $4"};

Account account_in(const Table& rows, int row) {
  Account account;
  account.key = AccountKey{rows.integer(row, 0)};
  account.name = rows.text(row, 1);
  account.weight = static_cast<std::uint32_t>(rows.integer(row, 2));
  account.suspended = rows.flag(row, 3);
  account.text_from_html = rows.flag(row, 4);
  account.created = rows.instant(row, 5);
  account.open_tracking = rows.flag(row, 6);
  account.limits = {.requests_per_minute = rows.integer(row, 7),
                    .mails_per_minute = rows.integer(row, 8),
                    .mails_per_day = rows.integer(row, 9),
                    .mails_per_month = rows.integer(row, 10)};
  account.preflight = static_cast<PreflightMode>(rows.integer(row, 11));
  account.sandbox = rows.flag(row, 12);
  account.allowed_recipients = rows.text(row, 13);
  return account;
}

// From column `at` on, in the order of KEY_COLUMNS.
ApiKey key_in(const Table& rows, int row, int at) {
  return {.id = rows.integer(row, at),
          .label = std::string(rows.text(row, at + 1)),
          .created = rows.instant(row, at + 2),
          .revoked = rows.optional_instant(row, at + 3),
          .scopes = static_cast<Scopes>(rows.integer(row, at + 4)),
          .networks = unpack_networks(rows.text(row, at + 5)),
          .expires = rows.optional_instant(row, at + 6),
          .life = rows.null(row, at + 7) ? std::nullopt
                                         : std::optional<Milliseconds>(rows.integer(row, at + 7)),
          .used = rows.optional_instant(row, at + 8),
          .made_by = PersonKey{rows.integer(row, at + 9)}};
}

Result<Account> the_account(const Result<Table>& rows, std::string_view none) {
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::not_found, std::string(none));
  return account_in(*rows, 0);
}

}  // namespace

Result<std::optional<std::string>> Questions::setting(std::string_view name) {
  const auto rows = session_.ask(kSetting, Params() << name);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  return std::string(rows->text(0, 0));
}

Result<ChangeNumbers> Questions::change_numbers() {
  const auto rows = session_.ask(kChangeNumbers);
  if (!rows) return fail(rows.error());
  ChangeNumbers numbers;
  for (int i = 0; i < rows->size(); ++i) numbers.set(rows->integer(i, 0), rows->integer(i, 1));
  return numbers;
}

Result<Account> Questions::account(AccountKey key) {
  return the_account(session_.ask(kAccount, Params() << key), "there is no such account");
}

Result<Account> Questions::account_by_name(std::string_view name) {
  return the_account(session_.ask(kAccountByName, Params() << name), "there is no such account");
}

Result<KeyHolder> Questions::key_by_token(std::string_view token_sha256) {
  const auto rows = session_.ask(kKeyByToken, Params() << token_sha256);
  if (!rows) return fail(rows.error());
  if (rows->empty()) return fail(ErrorKind::not_found, "there is no such API key");
  constexpr int kAccountColumns = 14;
  return KeyHolder{account_in(*rows, 0), key_in(*rows, 0, kAccountColumns)};
}

Result<std::vector<Account>> Questions::accounts(AccountKey after, std::int64_t limit) {
  const auto rows = session_.ask(kAccounts, Params() << after << limit);
  if (!rows) return fail(rows.error());
  std::vector<Account> accounts;
  for (int i = 0; i < rows->size(); ++i) accounts.push_back(account_in(*rows, i));
  return accounts;
}

Result<std::vector<Account>> Questions::suspended_accounts(std::int64_t limit) {
  const auto rows = session_.ask(kSuspendedAccounts, Params() << limit);
  if (!rows) return fail(rows.error());
  std::vector<Account> accounts;
  for (int i = 0; i < rows->size(); ++i) accounts.push_back(account_in(*rows, i));
  return accounts;
}

Result<std::vector<ApiKey>> Questions::api_keys(AccountKey account) {
  const auto rows = session_.ask(kApiKeys, Params() << account);
  if (!rows) return fail(rows.error());
  std::vector<ApiKey> keys;
  for (int i = 0; i < rows->size(); ++i) keys.push_back(key_in(*rows, i, 0));
  return keys;
}

Result<std::map<AccountKey, std::int64_t>> Questions::active_keys(AccountKey first,
                                                                  AccountKey last) {
  const auto rows = session_.ask(kActiveKeys, Params() << first << last << session_.now());
  if (!rows) return fail(rows.error());
  std::map<AccountKey, std::int64_t> counts;
  for (int i = 0; i < rows->size(); ++i) {
    counts[AccountKey{rows->integer(i, 0)}] = rows->integer(i, 1);
  }
  return counts;
}

Result<std::vector<DkimKey>> Questions::dkim_keys(const DkimPlace& after, std::int64_t limit) {
  const auto rows =
      session_.ask(kDkimKeys, Params() << after.account << std::string_view(after.domain)
                                       << std::string_view(after.selector) << limit);
  if (!rows) return fail(rows.error());
  std::vector<DkimKey> keys;
  for (int i = 0; i < rows->size(); ++i) {
    DkimKey& key = keys.emplace_back();
    key.account = AccountKey{rows->integer(i, 0)};
    key.domain = rows->text(i, 1);
    key.selector = rows->text(i, 2);
    key.algorithm = rows->text(i, 3);
    key.sealed_private_key = rows->text(i, 4);
    key.dns_record = rows->text(i, 5);
    key.created = rows->instant(i, 6);
  }
  return keys;
}

}  // namespace todoku::store::postgres
