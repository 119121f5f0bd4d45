// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "store/store.h"

namespace todoku::operate {

// The names of the accounts in a list, each read once. For one transaction.
class AccountNames {
 public:
  // nullopt: there is no such account any more, and nobody to name what it had.
  [[nodiscard]] Result<std::optional<std::string>> of(store::ReadTransaction& transaction,
                                                      store::AccountKey key) {
    const auto known = names_.find(key);
    if (known != names_.end()) return known->second;
    auto owner = transaction.account(key);
    if (!owner && owner.error().kind != ErrorKind::not_found) return fail(std::move(owner.error()));
    std::optional<std::string> name;
    if (owner) name = std::move(owner->name);
    return names_.emplace(key, std::move(name)).first->second;
  }

 private:
  std::map<store::AccountKey, std::optional<std::string>> names_;
};

}  // namespace todoku::operate
