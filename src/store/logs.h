// SPDX-License-Identifier: Apache-2.0
// The log: a row for each recipient of a started delivery of whom something is known. It is made of
// what the recipients' stories are made of, so that there is no second truth; what is kept besides
// is who was not simply sent to (`not_sent`), by state and by the code of the last answer, written
// in the commit that records the state. A mail that is sent costs nothing here.
//
// Rows are ordered by email_id alone. Ids are given out in the order in which recipients are
// registered, so an instant can be looked for among them, and a delivery is a few ranges of them.
// LogSearch (log_search.h) puts a question together from these short ones.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/attempt.h"
#include "mail/states.h"
#include "store/keys.h"
#include "store/recipients.h"

namespace todoku::store {

// Email ids from `first` to before `end`.
struct LogRange {
  PublicId first = 1;
  PublicId end = 0;
  [[nodiscard]] bool empty() const { return first >= end; }
  friend bool operator==(const LogRange&, const LogRange&) = default;
};

// By which one looks among those who were not sent to.
struct LogKey {
  enum class By : std::uint8_t { state, code };
  By by = By::state;
  std::int64_t value = 0;
};

struct LogHit {
  PublicId id = 0;
  RecipientState state = RecipientState::pending;
  int code = 0;  // of the last answer; known of those who were not sent to
};

// A batch as the log sees it.
struct LogBatch {
  std::int64_t number = 0;
  PublicId first = 0;     // email_id of its first recipient
  std::int64_t size = 0;  // ids that it has used
  PublicId delivery = 0;
  DeliveryType type = DeliveryType::transaction;
  std::optional<Instant> started;  // nullopt: it is not in the log
};

// A delivery that starts later than this after its registration is found by when it started; any
// other by its ids.
inline constexpr Milliseconds kLogLateStart = std::chrono::minutes(1);

// Whether a recipient in this state is among those who were not sent to.
[[nodiscard]] constexpr bool is_kept_not_sent(RecipientState state) {
  return state != RecipientState::pending && state != RecipientState::delivered;
}
// The code by which an outcome is found: that of the receiver's answer, 0 if there was none. An
// address that is suppressed counts as refused with 554, as in the contract (section 3.2).
[[nodiscard]] int log_code(const Outcome& outcome);
// The attempt that made a story's state what it is; nullptr: there was none.
[[nodiscard]] const Attempt* deciding_attempt(const Story& story);
// Whether a story has a row in the log.
[[nodiscard]] bool is_logged(const Story& story);

class LogReads {
 public:
  virtual ~LogReads() = default;

  // Where the ids of a delivery lie, newest first, neighbours joined. What is not visible is not
  // among them.
  [[nodiscard]] virtual Result<std::vector<LogRange>> log_ranges(DeliveryKey key) = 0;
  // The id from which on recipients were registered at `at` or later, as closely as several nodes
  // that give out ids at once allow (postgres/ids.h).
  [[nodiscard]] virtual Result<PublicId> log_id_since(AccountKey account, Instant at) = 0;
  // At most `limit` deliveries that started from `from` to `to`, and more than kLogLateStart after
  // they were registered.
  [[nodiscard]] virtual Result<std::vector<DeliveryKey>> late_starts(AccountKey account,
                                                                     Instant from, Instant to,
                                                                     std::int64_t limit) = 0;
  // Who was not sent to, of those ids, newest first.
  [[nodiscard]] virtual Result<std::vector<LogHit>> not_sent(AccountKey account, LogKey key,
                                                             LogRange range,
                                                             std::int64_t limit) = 0;
  // Batches with ids in the range, newest first, at most `limit`; they may begin before it.
  [[nodiscard]] virtual Result<std::vector<LogBatch>> log_batches(AccountKey account,
                                                                  LogRange range,
                                                                  std::int64_t limit) = 0;
  // Those of the batches' recipients of whom something is known, in the order of the batches, in
  // each newest first; at most `limit`. Codes are not told.
  [[nodiscard]] virtual Result<std::vector<LogHit>> log_hits(std::span<const LogBatch> batches,
                                                             std::int64_t limit) = 0;
  struct AddressQuestion {
    AccountKey account{};
    std::string_view address;    // canonical
    const Mark* mark = nullptr;  // by which it is looked up instead; must live as long
    PublicId below = 0;
    std::optional<std::int64_t> from;  // Addressed::next of the answer before
    std::int64_t most = 100;  // to be looked at, other accounts' included; a back end may look at
                              // more
  };
  // Ids of recipients with an address, newest first; look-up is by a hash, so that some may have
  // another. limit_exceeded: there are too many to be put in order.
  struct Addressed {
    std::vector<PublicId> ids;
    std::optional<std::int64_t> next;  // where to go on; nullopt: there are no more. Opaque
    std::int64_t effort = 0;           // what was looked at
  };
  [[nodiscard]] virtual Result<Addressed> log_ids_of(const AddressQuestion& question) = 0;
  // The stories of those ids that are there, newest first; what was written (subject, from) may be
  // left out.
  [[nodiscard]] virtual Result<std::vector<Story>> log_stories(AccountKey account,
                                                               std::span<const PublicId> ids) = 0;
};

}  // namespace todoku::store
