// SPDX-License-Identifier: Apache-2.0
#include "access/access.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "access/ses_keys.h"
#include "base/bytes.h"
#include "base/digest.h"
#include "store/last_use.h"

namespace todoku::access {
namespace {

constexpr std::chrono::seconds kRemembered{2};
constexpr std::size_t kKnownMax = 10'000;

// Empty if the header's value has none.
std::string_view token_in(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  const std::string_view value = trim(authorization);
  if (value.size() <= kScheme.size() ||
      !equals_ignoring_case(value.substr(0, kScheme.size()), kScheme)) {
    return {};
  }
  return trim(value.substr(kScheme.size()));
}

std::unexpected<Authenticator::Denial> denied(std::string en, std::string ja) {
  return std::unexpected(
      Authenticator::Denial{ErrorKind::unauthorized, {std::move(en), std::move(ja)}});
}

std::string name_of(store::AccountKey account) {
  return std::to_string(static_cast<std::int64_t>(account));
}

std::uint32_t left_of(const MinuteMeter::Use& use) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, use.most - use.used));
}

}  // namespace

std::string bearer_token(std::string_view login_id, std::string_view api_key) {
  return to_base64(sha256_hex(std::string(login_id) + std::string(api_key)));
}

RateLimit::Verdict RateLimit::admit(store::AccountKey account, SteadyInstant now,
                                    std::uint32_t own) {
  const std::uint32_t limit = own > 0 ? own : per_minute_;
  if (limit == 0) return {};
  const std::array<MinuteMeter::Limit, 1> of_account{{{name_of(account), limit}}};
  const auto excess = meter_.admit(of_account, 1, now);
  if (excess) {
    const auto left = std::chrono::ceil<std::chrono::seconds>(excess->wait);
    return {.allowed = false,
            .retry_after_seconds = static_cast<std::uint32_t>(left.count()),
            .limit = limit};
  }
  const auto use = meter_.use_of(of_account.front().name, now);
  return {.remaining = use ? left_of(*use) : limit - 1, .limit = limit};
}

std::uint32_t RateLimit::remaining(store::AccountKey account, SteadyInstant now) {
  const auto use = meter_.use_of(name_of(account), now);
  return use ? left_of(*use) : per_minute_;
}

std::uint32_t RateLimit::limit_of(store::AccountKey account, SteadyInstant now) {
  const auto use = meter_.use_of(name_of(account), now);
  return use ? static_cast<std::uint32_t>(use->most) : per_minute_;
}

std::optional<store::AccountKey> Authenticator::last_known(std::string_view authorization) {
  const std::string_view token = token_in(authorization);
  if (token.empty()) return std::nullopt;
  const std::string hash = sha256_hex(token);
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(hash);
  if (found == known_.end()) return std::nullopt;
  return found->second.holder.account.key;
}

void Authenticator::forget() {
  const std::lock_guard lock(mutex_);
  for (auto& [hash, known] : known_) known.until = {};
  ++forgotten_;
}

void Authenticator::used(const store::ApiKey& key) {
  if (!store::is_new_use(key.used, store_.clock().now())) return;
  const std::lock_guard lock(mutex_);
  if (uses_.size() < kUsesMax) uses_.insert(key.id);
}

Task<Result<void>> Authenticator::write_uses() {
  std::vector<std::int64_t> ids;
  {
    const std::lock_guard lock(mutex_);
    ids.assign(uses_.begin(), uses_.end());
    uses_.clear();
  }
  if (ids.empty()) co_return Result<void>{};
  auto written = co_await store_.write(
      store::WritePriority::retention,
      [&ids](store::WriteTransaction& transaction) { return transaction.use_api_keys(ids); });
  if (!written) {
    const std::lock_guard lock(mutex_);
    for (const std::int64_t id : ids) {
      if (uses_.size() < kUsesMax) uses_.insert(id);
    }
  }
  co_return written;
}

Authenticator::Admission Authenticator::judge(const Known& known,
                                              const net::IpAddress& from) const {
  const store::ApiKey& key = known.holder.key;
  if (key.expires && store_.clock().now() >= *key.expires) {
    return denied("this API key has expired", "このAPIキーは有効期限が切れています");
  }
  // Of a key that names networks, what cannot be read as one admits nobody.
  if (!key.networks.empty() && !net::contain(known.networks, from)) {
    const std::string address = from.to_string();
    return denied(fmt::format("this API key may not be used from {}", address),
                  fmt::format("このAPIキーは{}からは使用できません", address));
  }
  return known.holder;
}

Task<Authenticator::Admission> Authenticator::authenticate(std::string authorization,
                                                           net::IpAddress from) {
  const std::string_view token = token_in(authorization);
  if (token.empty()) {
    co_return denied("no bearer token", "Authorizationヘッダーにトークンがありません");
  }
  co_return co_await find(
      sha256_hex(token), from,
      {"unknown or revoked token (a bearer token is made of login ID and API key, it is not "
       "the API key itself)",
       "ログインIDとAPIキーを確認してください。トークンはAPIキーそのものではなく、"
       "ログインIDとAPIキーから作ります"});
}

Task<Authenticator::Admission> Authenticator::holder_of_access_key(std::string access_key_id,
                                                                   net::IpAddress from) {
  co_return co_await find(access_key_hash(access_key_id), from,
                          {"unknown or revoked access key id", "アクセスキーIDが無効です"});
}

Task<Authenticator::Admission> Authenticator::find(std::string hash, net::IpAddress from,
                                                   BilingualText unknown) {
  const SteadyInstant now = clock_.steady_now();
  std::uint64_t forgotten = 0;
  {
    const std::lock_guard lock(mutex_);
    forgotten = forgotten_;
    const auto found = known_.find(hash);
    if (found != known_.end() && now < found->second.until) co_return judge(found->second, from);
  }
  auto holder = co_await store_.read(
      [&hash](store::ReadTransaction& transaction) { return transaction.key_by_token(hash); });
  if (!holder) {
    if (holder.error().kind != ErrorKind::not_found) {
      co_return std::unexpected(Denial{holder.error().kind, {holder.error().detail, {}}});
    }
    co_return denied(std::move(unknown.en), std::move(unknown.ja));
  }
  if (!closed_account_.empty() && holder->account.name == closed_account_) {
    co_return denied(std::move(unknown.en), std::move(unknown.ja));
  }
  Known known{.holder = std::move(*holder), .networks = {}, .until = now + kRemembered};
  for (const std::string& network : known.holder.key.networks) {
    if (auto parsed = net::Network::parse(network)) known.networks.push_back(*parsed);
  }
  auto judged = judge(known, from);
  const std::lock_guard lock(mutex_);
  if (forgotten != forgotten_) co_return judged;  // read before the change, perhaps
  if (known_.size() >= kKnownMax) known_.clear();
  known_[std::move(hash)] = std::move(known);
  co_return judged;
}

}  // namespace todoku::access
