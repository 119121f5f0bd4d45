// SPDX-License-Identifier: Apache-2.0
// So that a request that is repeated gets the answer of the first time, and makes nothing twice
// (docs/adr/0019): a record that is committed with what the request makes. Only of what was made
// there is one.
#pragma once

#include <algorithm>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "base/digest.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// Of what begins later: until so long after it has begun.
inline constexpr Milliseconds kAnswersKept = std::chrono::hours(24);

// What kind of request. Stored as these numbers: never renumber.
enum class KeyedRoute : std::uint8_t {
  transaction = 1,
  mail_of_batch = 2,
  bulk_begin = 3,
  bulk_update = 4,
  bulk_commit = 5,
  bulk_commit_immediate = 6,
  add_recipient = 7,
  import = 8,
  error_export = 20,
  open_report = 25,
  suppression = 21,
  webhook = 26,
  webhook_secret = 27,
  webhook_replay = 28,
  recipient_export = 30,
  submission = 31,
  content_template = 40,
  resend = 41,
  account = 42,
  api_key = 43,
  domain = 44,
  domain_reports = 45,
  suppression_import = 46,
};

// What a client called its request, among the requests of its account and of one kind.
struct IdempotencyKey {
  AccountKey account{};
  KeyedRoute route{};
  Sha256 hash{};  // of the name
  friend auto operator<=>(const IdempotencyKey&, const IdempotencyKey&) = default;
};

struct IdempotencyRecord {
  IdempotencyKey key;
  Sha256 fingerprint{};           // of the request's fields (intake/fingerprint.h)
  std::int64_t answer = 0;        // the id that was made, or what else an answer depends on
  std::optional<Instant> begins;  // what the request made, if that is later
};

struct KeptAnswer {
  Sha256 fingerprint{};
  std::int64_t answer = 0;
};

class IdempotencyReads {
 public:
  virtual ~IdempotencyReads() = default;
  // nullopt: none is kept, or not any more.
  [[nodiscard]] virtual Result<std::optional<KeptAnswer>> kept_answer(
      const IdempotencyKey& key) = 0;
};

class IdempotencyWrites {
 public:
  virtual ~IdempotencyWrites() = default;
  // conflict: one is kept under this key already. Of several writers one keeps its answer; the
  // others wait for its commit, and must undo what they have made.
  [[nodiscard]] virtual Result<void> keep_answer(const IdempotencyRecord& record) = 0;
};

// Until when it is kept.
[[nodiscard]] inline Instant kept_until(const IdempotencyRecord& record, Instant now) {
  return std::max(now, record.begins.value_or(now)) + kAnswersKept;
}

}  // namespace todoku::store
