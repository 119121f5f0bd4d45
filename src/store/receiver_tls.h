// SPDX-License-Identifier: Apache-2.0
// What is remembered of receivers' transport security: the MTA-STS policies of recipients' domains
// (RFC 8461), so that they hold after a restart and on every node; and by day and domain how
// attempts fared, in the words of RFC 8460.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/tls_result.h"

namespace todoku::store {

struct StsPolicy {
  std::string domain;  // A-labels, lower case
  std::string id;
  std::string text;  // as mailauth/mta_sts writes it
  Instant fetched{};
  Instant expires{};
  friend bool operator==(const StsPolicy&, const StsPolicy&) = default;
};

// Attempts of one day (UTC), by what they had to meet and how that went.
struct TlsCount {
  std::int64_t day = 0;  // since 1970-01-01
  std::string domain;    // empty: all that were too many to be counted by name
  TlsPolicyType policy = TlsPolicyType::no_policy_found;
  TlsResult result = TlsResult::successful;
  std::int64_t attempts = 0;
  friend auto operator<=>(const TlsCount&, const TlsCount&) = default;
};

struct TlsCountQuestion {
  std::int64_t first_day = 0;
  std::optional<std::string> domain;  // nullopt: all
  std::int64_t limit = 1'000;
};

// The order in which counts are told. A back end reads them along its key, which goes one way.
void put_in_order(std::vector<TlsCount>& counts);

class ReceiverTlsReads {
 public:
  virtual ~ReceiverTlsReads() = default;
  // nullopt: none is kept.
  [[nodiscard]] virtual Result<std::optional<StsPolicy>> sts_policy(std::string_view domain) = 0;
  // The newest days first, then by domain, policy and result; of the oldest day told, where there
  // are more than `limit`, the last by that order.
  [[nodiscard]] virtual Result<std::vector<TlsCount>> tls_counts(
      const TlsCountQuestion& question) = 0;
};

class ReceiverTlsWrites {
 public:
  virtual ~ReceiverTlsWrites() = default;
  // Takes the place of one of the domain that was fetched before it; some of those that have
  // expired go with each.
  [[nodiscard]] virtual Result<void> keep_sts_policy(const StsPolicy& policy) = 0;
  // Increments. What is older than `keep_since` (a day) goes.
  [[nodiscard]] virtual Result<void> add_tls_counts(std::span<const TlsCount> counts,
                                                    std::int64_t keep_since) = 0;
};

}  // namespace todoku::store
