// SPDX-License-Identifier: Apache-2.0
// Who may call, and how often: the bearer token of the contract's section 1.2 and the rate limit of
// section 1.5.
#pragma once

#include <cstdint>
#include <expected>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/bilingual.h"
#include "base/clock.h"
#include "base/minute_meter.h"
#include "base/result.h"
#include "net/network.h"
#include "store/store.h"

namespace todoku::access {

// The token a client sends: base64 of the lower-case hexadecimal SHA-256 of login id and API key.
[[nodiscard]] std::string bearer_token(std::string_view login_id, std::string_view api_key);

// Counts requests per account in windows of one minute, those of this process. Pure but for the
// lock of its meter.
class RateLimit {
 public:
  // `per_minute` 0: no limit.
  explicit RateLimit(std::uint32_t per_minute) : per_minute_(per_minute) {}

  struct Verdict {
    bool allowed = true;
    std::uint32_t remaining = 0;  // in this window, after this request
    std::uint32_t retry_after_seconds = 0;
    std::uint32_t limit = 0;  // which it is; 0: none
  };
  // `own`: the account's own limit; 0: that of all.
  [[nodiscard]] Verdict admit(store::AccountKey account, SteadyInstant now, std::uint32_t own = 0);
  // What is left of this account's window, without counting.
  [[nodiscard]] std::uint32_t remaining(store::AccountKey account, SteadyInstant now);
  // As it was when the account was seen last.
  [[nodiscard]] std::uint32_t limit_of(store::AccountKey account, SteadyInstant now);
  [[nodiscard]] std::uint32_t per_minute() const { return per_minute_; }

 private:
  const std::uint32_t per_minute_;
  MinuteMeter meter_;
};

// Finds the key of a token, and whose it is. Remembers for two seconds, so that a busy client does
// not cost a read of the store per request: whoever revokes a key or suspends an account, it ends
// within that time.
class Authenticator {
 public:
  // `closed_account`: whose keys, if it has any, open nothing, as if there were none; empty: there
  // is no such account.
  Authenticator(store::Store& store, const Clock& clock, std::string closed_account = {})
      : store_(store), clock_(clock), closed_account_(std::move(closed_account)) {}

  // Why somebody is not let in.
  struct Denial {
    ErrorKind kind = ErrorKind::unauthorized;  // or what the store's error is
    BilingualText reason;                      // of another error empty, but for its English detail
  };
  using Admission = std::expected<store::KeyHolder, Denial>;

  // `authorization`: the header's value; `from`: whose request it is.
  Task<Admission> authenticate(std::string authorization, net::IpAddress from);
  // The same of a credential of SES's form (ses_keys.h): whose it is. That the request is signed
  // with it is for the caller to see.
  Task<Admission> holder_of_access_key(std::string access_key_id, net::IpAddress from);
  // Whose token this was when it was last seen, if that is remembered: admits nobody to anything.
  [[nodiscard]] std::optional<store::AccountKey> last_known(std::string_view authorization);

  // Keys or accounts have changed: who comes next is asked about.
  void forget();

  // A key has opened something. Of more than so many that wait to be written one is left out until
  // it is used again.
  static constexpr std::size_t kUsesMax = 10'000;
  void used(const store::ApiKey& key);
  // Writes in which hour those were used last of which that is not written yet; no commit where
  // there are none. Errors: those of the store; they wait on.
  Task<Result<void>> write_uses();

 private:
  struct Known {
    store::KeyHolder holder;
    std::vector<net::Network> networks;  // those of its key
    SteadyInstant until{};
  };
  // `unknown`: what is said where there is no such key.
  Task<Admission> find(std::string hash, net::IpAddress from, BilingualText unknown);
  // What its key says of this request.
  [[nodiscard]] Admission judge(const Known& known, const net::IpAddress& from) const;
  store::Store& store_;
  const Clock& clock_;
  const std::string closed_account_;
  std::mutex mutex_;
  std::unordered_map<std::string, Known> known_;  // by SHA-256 of the token
  std::uint64_t forgotten_ = 0;                   // times
  std::unordered_set<std::int64_t> uses_;         // ids of keys, not written yet
};

}  // namespace todoku::access
