// SPDX-License-Identifier: Apache-2.0
// Where keys and public ids come from without a lock for each: in blocks, per process, reserved in
// a short transaction of their own. What is left of a block when the process ends is a gap.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "base/result.h"
#include "link.h"
#include "store/keys.h"

namespace todoku::pg_sketch {

class Ids {
 public:
  struct Need {
    std::int64_t deliveries = 0;
    std::int64_t emails = 0;
  };
  // Sees to it that so much can be taken; usually asks nothing, else one flight for all accounts.
  // Accounts that are not there: nothing can be taken for them.
  Result<void> provide(Link& link, const std::map<store::AccountKey, Need>& needs,
                       std::int64_t numbers);
  // The first of `count`; nullopt: there is no such account.
  std::optional<std::int64_t> take_delivery(store::AccountKey account);
  std::optional<std::int64_t> take_emails(store::AccountKey account, std::int64_t count);
  std::int64_t take_numbers(std::int64_t count);

 private:
  struct Block {
    std::int64_t next = 0;
    std::int64_t end = 0;
    std::int64_t blocks = 0;  // grows with what is used: 64, 128, ... 8192
  };
  struct Account {
    Block deliveries;
    Block emails;
  };
  std::map<store::AccountKey, Account> accounts_;
  Block numbers_;
};

}  // namespace todoku::pg_sketch
