// SPDX-License-Identifier: Apache-2.0
// Accounts, and the keys by which they call and sign.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/preflight_mode.h"
#include "store/keys.h"

namespace todoku::store {

inline constexpr std::int64_t kAccountWeightMin = 1;
inline constexpr std::int64_t kAccountWeightMax = 1'000;

// What an account may do in a time; 0: as much as the installation lets it.
struct AccountLimits {
  std::int64_t requests_per_minute = 0;
  std::int64_t mails_per_minute = 0;
  std::int64_t mails_per_day = 0;
  std::int64_t mails_per_month = 0;
  friend bool operator==(const AccountLimits&, const AccountLimits&) = default;
};

struct Account {
  AccountKey key{};
  std::string name;          // the login id of the contract; unique
  std::uint32_t weight = 1;  // share of the engine relative to other accounts
  // No request is accepted, nothing is started, and nothing that has started is taken in hand; what
  // a node has in hand goes on.
  bool suspended = false;
  bool text_from_html = true;  // mail that comes with HTML only gets a text part made from it
  bool open_tracking = true;   // HTML gets an image that tells of its opening, where that can be
  PreflightMode preflight = PreflightMode::warn;
  Instant created{};
  AccountLimits limits;
  // Its mail never leaves the machine: couriers say how it ended (delivery/policy/sandbox.h). Since
  // it was made, and for ever.
  bool sandbox = false;
  // To whom alone it may send, as mail/allow_list.h has it: of an account for trials. Empty: to
  // all.
  std::string allowed_recipients = {};
};

// What a key opens. Stored as a sum of these numbers: never renumber.
enum class Scope : std::uint8_t {
  send = 1,      // hand mail in, change and cancel it
  read = 2,      // what became of it
  content = 4,   // texts and insert codes of what was handed in
  suppress = 8,  // the lists of addresses that get no mail
  admin = 16,    // the account's domains; of an operator's account, all accounts and their keys
  ses = 64,  // hand mail in at the door of SES, by signed requests; such a key has no other scope
};
using Scopes = std::uint8_t;
[[nodiscard]] constexpr Scopes operator|(Scope one, Scope other) {
  return static_cast<Scopes>(static_cast<Scopes>(one) | static_cast<Scopes>(other));
}
[[nodiscard]] constexpr Scopes operator|(Scopes some, Scope other) {
  return static_cast<Scopes>(some | static_cast<Scopes>(other));
}
[[nodiscard]] constexpr bool has(Scopes scopes, Scope scope) {
  return (scopes & static_cast<Scopes>(scope)) != 0;
}
// All that a client of the contract knows, and so what a key has of which nothing else is said.
inline constexpr Scopes kScopesOfClients =
    Scope::send | Scope::read | Scope::content | Scope::suppress;

struct ApiKey {
  std::int64_t id = 0;
  std::string label;
  Instant created{};
  std::optional<Instant> revoked;
  Scopes scopes = kScopesOfClients;
  std::vector<std::string> networks;  // from which it may be used, e.g. "192.0.2.0/24"; empty: all
  std::optional<Instant> expires;     // from then on it opens nothing
  std::optional<Milliseconds> life;   // for which it was made; what ends it sooner leaves it
  std::optional<Instant> used = {};   // the last hour in which it was (last_use.h)
  PersonKey made_by{};                // who knows it; 0: nobody says
};

struct NewApiKey {
  std::string label;
  std::string token_sha256;  // hex, of the bearer token
  Scopes scopes = kScopesOfClients;
  std::vector<std::string> networks;
  std::optional<Milliseconds> life;  // nullopt: until it is revoked
  PersonKey made_by{};
};

struct KeyHolder {
  Account account;
  ApiKey key;
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
  // How many API keys each account from `first` to `last` has that are neither revoked nor expired;
  // none: not there.
  [[nodiscard]] virtual Result<std::map<AccountKey, std::int64_t>> active_keys(AccountKey first,
                                                                               AccountKey last) = 0;
  // By key, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<Account>> suspended_accounts(std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<Account> account(AccountKey key) = 0;
  [[nodiscard]] virtual Result<Account> account_by_name(std::string_view name) = 0;
  // The unrevoked API key with this SHA-256 (hex) of its bearer token, and whose it is. It may have
  // expired.
  [[nodiscard]] virtual Result<KeyHolder> key_by_token(std::string_view token_sha256) = 0;
  [[nodiscard]] virtual Result<std::vector<ApiKey>> api_keys(AccountKey account) = 0;
  // In pages, too: those after `after`, at most `limit`. All of them: DkimList in walks.h.
  [[nodiscard]] virtual Result<std::vector<DkimKey>> dkim_keys(const DkimPlace& after,
                                                               std::int64_t limit) = 0;
};

// Names and tokens are unique keys: of several writers at once one succeeds.
class AccountWrites {
 public:
  virtual ~AccountWrites() = default;
  // conflict if the name is taken; of a sandbox also unsupported: not_known_to() (nodes.h).
  [[nodiscard]] virtual Result<Account> create_account(std::string_view name, bool sandbox) = 0;
  [[nodiscard]] Result<Account> create_account(std::string_view name) {
    return create_account(name, false);
  }
  // Weight, suspended, text_from_html, open_tracking, preflight, limits and allowed_recipients. Of
  // another list of these unsupported: not_known_to() (nodes.h); they can always be taken away.
  [[nodiscard]] virtual Result<void> change_account(const Account& account) = 0;
  // conflict if the token is in use.
  [[nodiscard]] virtual Result<ApiKey> add_api_key(AccountKey account, const NewApiKey& key) = 0;
  [[nodiscard]] virtual Result<void> revoke_api_key(AccountKey account, std::int64_t id) = 0;
  // It expires `in` from now, if not sooner. conflict: it is revoked.
  [[nodiscard]] virtual Result<void> expire_api_key(AccountKey account, std::int64_t id,
                                                    Milliseconds in) = 0;
  // They were used now. One that is not there, or is being changed, is passed over.
  [[nodiscard]] virtual Result<void> use_api_keys(std::span<const std::int64_t> ids) = 0;
  // conflict if the account has a key of this domain and selector. `created` is the store's.
  [[nodiscard]] virtual Result<void> put_dkim_key(const DkimKey& key) = 0;
  [[nodiscard]] virtual Result<void> remove_dkim_key(AccountKey account, std::string_view domain,
                                                     std::string_view selector) = 0;
};

}  // namespace todoku::store
