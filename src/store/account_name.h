// SPDX-License-Identifier: Apache-2.0
// Whose something is, as operators know accounts: for lines of the log, which show no keys, and for
// rules.
#pragma once

#include <string>
#include <utility>

#include "store/store.h"

namespace todoku::store {

// Of kInstallation "everybody"; empty: the account is not there any more.
[[nodiscard]] inline Result<std::string> read_account_name(ReadTransaction& reader,
                                                           AccountKey key) {
  if (key == kInstallation) return "everybody";
  auto account = reader.account(key);
  if (account) return std::move(account->name);
  if (account.error().kind == ErrorKind::not_found) return std::string();
  return fail(std::move(account.error()));
}

// The same, and empty where it cannot be read: for words alone, never for what is decided by it.
[[nodiscard]] inline std::string account_name(ReadTransaction& reader, AccountKey key) {
  auto name = read_account_name(reader, key);
  return name ? std::move(*name) : std::string();
}

}  // namespace todoku::store
