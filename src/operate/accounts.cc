// SPDX-License-Identifier: Apache-2.0
// Operations on accounts and their API keys.
#include <algorithm>

#include <fmt/format.h>

#include "access/access.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "operate/operations.h"

namespace todoku::operate {
namespace {

constexpr std::size_t kNameMax = 64;
constexpr std::size_t kLabelMax = 100;
constexpr std::int64_t kWeightMax = 1'000;
constexpr std::size_t kApiKeyOctets = 24;  // 192 random bits

Result<void> check_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kNameMax && std::ranges::all_of(name, [](char c) {
        const char lower = ascii_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
               std::string_view("._@-").contains(c);
      });
  if (good) return {};
  return fail(
      ErrorKind::invalid_input,
      fmt::format("the name of an account has 1 to {} letters, digits and . _ @ -", kNameMax));
}

Result<void> check_weight(std::int64_t weight) {
  if (weight >= 1 && weight <= kWeightMax) return {};
  return fail(ErrorKind::invalid_input,
              fmt::format("the weight is {}, but must be from 1 to {}", weight, kWeightMax));
}

std::int64_t active(const std::vector<store::ApiKey>& keys) {
  return std::ranges::count_if(keys, [](const store::ApiKey& key) { return !key.revoked; });
}

Result<std::vector<AccountView>> read_accounts(store::ReadTransaction& transaction) {
  auto accounts = transaction.accounts();
  if (!accounts) return fail(std::move(accounts.error()));
  std::vector<AccountView> views;
  for (store::Account& account : *accounts) {
    const auto keys = transaction.api_keys(account.key);
    if (!keys) return fail(keys.error());
    views.push_back({std::move(account), active(*keys)});
  }
  return views;
}

IssuedKey make_key(const std::string& login_id) {
  IssuedKey issued;
  issued.login_id = login_id;
  issued.api_key = to_hex(random_octets(kApiKeyOctets));
  issued.bearer_token = access::bearer_token(login_id, issued.api_key);
  return issued;
}

// Only the hash is kept: what is shown now cannot be shown again.
Result<IssuedKey> write_key(store::WriteTransaction& transaction, store::AccountKey account,
                            const std::string& label, IssuedKey issued) {
  auto key = transaction.add_api_key(account, label, sha256_hex(issued.bearer_token));
  if (!key) return fail(std::move(key.error()));
  issued.key = std::move(*key);
  return issued;
}

// The account and its first key, or neither: an account without a key cannot be used, and its name
// would be taken.
Result<AddedAccount> write_account(store::WriteTransaction& transaction,
                                   const NewAccount& request) {
  auto account = transaction.create_account(request.name);
  if (!account) return fail(std::move(account.error()));
  account->weight = static_cast<std::uint32_t>(request.weight);
  const auto changed = transaction.change_account(*account);
  if (!changed) return fail(changed.error());
  AddedAccount added{.account = std::move(*account), .key = std::nullopt};
  if (!request.with_key) return added;
  auto key = write_key(transaction, added.account.key, "first", make_key(request.name));
  if (!key) return fail(std::move(key.error()));
  added.key = std::move(*key);
  return added;
}

}  // namespace

Task<Result<store::Account>> Operations::account(std::string name) {
  auto found = co_await store_.read(
      [name](store::ReadTransaction& transaction) { return transaction.account_by_name(name); });
  if (!found && found.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found, fmt::format("there is no account {}", name));
  }
  co_return found;
}

Task<Result<std::vector<AccountView>>> Operations::accounts() {
  auto views = co_await store_.read(read_accounts);
  co_return views;
}

Task<Result<AddedAccount>> Operations::add_account(NewAccount request) {
  if (auto good = check_name(request.name); !good) co_return fail(good.error());
  if (auto good = check_weight(request.weight); !good) co_return fail(good.error());
  auto added = co_await store_.write(store::WritePriority::accept,
                                     [request](store::WriteTransaction& transaction) {
                                       return write_account(transaction, request);
                                     });
  if (!added && added.error().kind == ErrorKind::conflict) {
    co_return fail(ErrorKind::conflict,
                   fmt::format("there is an account {} already", request.name));
  }
  co_return added;
}

Task<Result<void>> Operations::change_account(std::string name, AccountChange change) {
  if (change.weight) {
    if (auto good = check_weight(*change.weight); !good) co_return good;
  }
  auto found = co_await account(name);
  if (!found) co_return fail(std::move(found.error()));
  auto changed =
      co_await store_.write(store::WritePriority::accept,
                            [name, change](store::WriteTransaction& transaction) -> Result<void> {
                              auto now = transaction.read().account_by_name(name);
                              if (!now) return fail(std::move(now.error()));
                              if (change.weight)
                                now->weight = static_cast<std::uint32_t>(*change.weight);
                              if (change.suspended) now->suspended = *change.suspended;
                              return transaction.change_account(*now);
                            });
  co_return changed;
}

Task<Result<std::vector<store::ApiKey>>> Operations::keys(std::string account_name) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto keys = co_await store_.read([key = found->key](store::ReadTransaction& transaction) {
    return transaction.api_keys(key);
  });
  co_return keys;
}

Task<Result<IssuedKey>> Operations::add_key(std::string account_name, std::string label) {
  if (utf8_length(label) > kLabelMax || !is_utf8(label)) {
    co_return fail(ErrorKind::invalid_input,
                   fmt::format("a label has at most {} characters", kLabelMax));
  }
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto issued = co_await store_.write(
      store::WritePriority::accept,
      [account = *found, label](store::WriteTransaction& transaction) {
        return write_key(transaction, account.key, label, make_key(account.name));
      });
  co_return issued;
}

Task<Result<void>> Operations::revoke_key(std::string account_name, std::int64_t id) {
  auto found = co_await account(account_name);
  if (!found) co_return fail(std::move(found.error()));
  auto revoked =
      co_await store_.write(store::WritePriority::accept,
                            [account = found->key, id](store::WriteTransaction& transaction) {
                              return transaction.revoke_api_key(account, id);
                            });
  if (!revoked && revoked.error().kind == ErrorKind::not_found) {
    co_return fail(ErrorKind::not_found, fmt::format("account {} has no key {}", account_name, id));
  }
  co_return revoked;
}

}  // namespace todoku::operate
