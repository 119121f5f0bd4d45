// SPDX-License-Identifier: Apache-2.0
// Changes of settings, accounts and keys.
#include <fmt/format.h>

#include "store/postgres/transactions.h"

namespace todoku::store::postgres {
namespace {

const Sql kPutSetting{"accounts: put setting",
                      "INSERT INTO settings VALUES($1, $2)"
                      " ON CONFLICT(name) DO UPDATE SET value = $2"};
// Of several writers at once one has the name: the others wait for it and find it taken.
const Sql kCreateAccount{"accounts: create",
                         "INSERT INTO accounts(key, name, weight, suspended, text_from_html,"
                         " created, next_delivery_id, next_email_id, next_job_id)"
                         " VALUES($1, $2, 1, 0, 1, $3, 1, 1, 1) ON CONFLICT DO NOTHING"};

}  // namespace

Result<void> Changes::put_setting(std::string_view name, std::string_view value) {
  const auto done = session_.ask(kPutSetting, Params() << name << Octets{value});
  if (!done) return fail(done.error());
  return {};
}

Result<Account> Changes::create_account(std::string_view name) {
  if (name.empty()) return fail(ErrorKind::invalid_input, "the name of an account is empty");
  const auto key = session_.take_numbers(1);
  if (!key) return fail(key.error());
  const auto made = session_.ask(kCreateAccount, Params() << *key << name << session_.now());
  if (!made) return fail(made.error());
  if (made->changes() == 0) {
    return fail(ErrorKind::conflict, fmt::format("an account {} is there already", name));
  }
  Account account;
  account.key = AccountKey{*key};
  account.name = name;
  account.created = session_.now();
  return account;
}

}  // namespace todoku::store::postgres
