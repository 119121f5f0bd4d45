// SPDX-License-Identifier: Apache-2.0
// Accounts, and the keys by which they call and sign.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr std::int64_t kAccountWeightMin = 1;
inline constexpr std::int64_t kAccountWeightMax = 1'000;

struct Account {
  AccountKey key{};
  std::string name;          // the login id of the contract; unique
  std::uint32_t weight = 1;  // share of the engine relative to other accounts
  // No request is accepted, nothing is started, and nothing that has started is taken in hand; what
  // a node has in hand goes on.
  bool suspended = false;
  bool text_from_html = true;  // mail that comes with HTML only gets a text part made from it
  Instant created{};
};

struct ApiKey {
  std::int64_t id = 0;
  std::string label;
  Instant created{};
  std::optional<Instant> revoked;
};

// A DKIM key of an account, for From domains equal to `domain` or below it.
struct DkimKey {
  AccountKey account{};
  std::string domain;
  std::string selector;
  std::string algorithm;           // "rsa-sha256" or "ed25519-sha256"
  std::string sealed_private_key;  // encrypted under the master key; the store cannot read it
  std::string dns_record;          // the TXT value to publish
  Instant created{};
};

// A place in the list of all DKIM keys, which is by account, domain and selector.
struct DkimPlace {
  AccountKey account{};
  std::string domain;
  std::string selector;
};

class AccountReads {
 public:
  virtual ~AccountReads() = default;
  // In pages, because there may be many: those after `after`, by key, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<Account>> accounts(AccountKey after,
                                                              std::int64_t limit) = 0;
  // How many unrevoked API keys each account from `first` to `last` has; none: not there.
  [[nodiscard]] virtual Result<std::map<AccountKey, std::int64_t>> active_keys(AccountKey first,
                                                                               AccountKey last) = 0;
  // By key, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<Account>> suspended_accounts(std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<Account> account(AccountKey key) = 0;
  [[nodiscard]] virtual Result<Account> account_by_name(std::string_view name) = 0;
  // The account whose unrevoked API key has this SHA-256 (hex) of its bearer token.
  [[nodiscard]] virtual Result<Account> account_by_token(std::string_view token_sha256) = 0;
  [[nodiscard]] virtual Result<std::vector<ApiKey>> api_keys(AccountKey account) = 0;
  // In pages, too: those after `after`, at most `limit`. All of them: DkimList in walks.h.
  [[nodiscard]] virtual Result<std::vector<DkimKey>> dkim_keys(const DkimPlace& after,
                                                               std::int64_t limit) = 0;
};

// Names and tokens are unique keys: of several writers at once one succeeds.
class AccountWrites {
 public:
  virtual ~AccountWrites() = default;
  // conflict if the name is taken.
  [[nodiscard]] virtual Result<Account> create_account(std::string_view name) = 0;
  // Weight, suspended and text_from_html.
  [[nodiscard]] virtual Result<void> change_account(const Account& account) = 0;
  // conflict if the token is in use.
  [[nodiscard]] virtual Result<ApiKey> add_api_key(AccountKey account, std::string_view label,
                                                   std::string_view token_sha256) = 0;
  [[nodiscard]] virtual Result<void> revoke_api_key(AccountKey account, std::int64_t id) = 0;
  // conflict if the account has a key of this domain and selector. `created` is the store's.
  [[nodiscard]] virtual Result<void> put_dkim_key(const DkimKey& key) = 0;
  [[nodiscard]] virtual Result<void> remove_dkim_key(AccountKey account, std::string_view domain,
                                                     std::string_view selector) = 0;
};

}  // namespace todoku::store
