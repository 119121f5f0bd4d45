// SPDX-License-Identifier: Apache-2.0
// Questions about settings, accounts and keys.
#include <fmt/format.h>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kSetting{"accounts: setting", "SELECT value FROM settings WHERE name = $1"};

#define ACCOUNT_COLUMNS "key, name, weight, suspended, text_from_html, created"
const Sql kAccount{"accounts: one", "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE key = $1"};
const Sql kAccountByName{"accounts: by name",
                         "SELECT " ACCOUNT_COLUMNS " FROM accounts WHERE name = $1"};

Account account_in(const Table& rows, int row) {
  Account account;
  account.key = AccountKey{rows.integer(row, 0)};
  account.name = rows.text(row, 1);
  account.weight = static_cast<std::uint32_t>(rows.integer(row, 2));
  account.suspended = rows.flag(row, 3);
  account.text_from_html = rows.flag(row, 4);
  account.created = rows.instant(row, 5);
  return account;
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

Result<Account> Questions::account(AccountKey key) {
  return the_account(session_.ask(kAccount, Params() << key), "there is no such account");
}

Result<Account> Questions::account_by_name(std::string_view name) {
  return the_account(session_.ask(kAccountByName, Params() << name), "there is no such account");
}

}  // namespace todoku::store::postgres
