// SPDX-License-Identifier: Apache-2.0
// Whose something is, as operators know accounts: for lines of the log, which show no keys.
#pragma once

#include <string>
#include <utility>

#include "store/store.h"

namespace todoku::store {

// Of kInstallation "everybody"; empty: the account is not there any more, or cannot be read.
[[nodiscard]] inline std::string account_name(ReadTransaction& reader, AccountKey key) {
  if (key == kInstallation) return "everybody";
  auto account = reader.account(key);
  return account ? std::move(account->name) : std::string();
}

}  // namespace todoku::store
