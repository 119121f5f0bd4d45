// SPDX-License-Identifier: Apache-2.0
// How protected connections fared, by day (UTC), domain, policy and result, until the store has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "mail/tls_result.h"

namespace todoku::sts {

// Thread-safe.
class TlsTally {
 public:
  // Domains that are counted by name in a day; all others are one, whose name is empty.
  static constexpr std::size_t kDomainsMax = 10'000;

  struct Count {
    std::int64_t day = 0;  // since 1970-01-01
    std::string domain;
    TlsPolicyType policy = TlsPolicyType::no_policy_found;
    TlsResult result = TlsResult::successful;
    std::int64_t attempts = 0;
    friend bool operator==(const Count&, const Count&) = default;
  };

  explicit TlsTally(std::size_t domains_max = kDomainsMax) : domains_max_(domains_max) {}

  void add(Instant now, std::string_view domain, TlsPolicyType policy, TlsResult result);
  // All since the last time, in the order of day, domain, policy and result.
  [[nodiscard]] std::vector<Count> take();
  // What was taken and could not be stored.
  void put_back(const std::vector<Count>& counts);

 private:
  using Key = std::tuple<std::int64_t, std::string, TlsPolicyType, TlsResult>;

  const std::size_t domains_max_;
  std::mutex mutex_;
  std::map<Key, std::int64_t> counts_;
  std::int64_t day_ = 0;
  std::set<std::string, std::less<>> named_;  // on day_
};

[[nodiscard]] constexpr std::int64_t day_of(Instant now) {
  return std::chrono::floor<std::chrono::days>(now).time_since_epoch().count();
}

}  // namespace todoku::sts
