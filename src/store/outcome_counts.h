// SPDX-License-Identifier: Apache-2.0
// How many outcomes had which cause at which receiver: of each bulk delivery, and of each hour by
// account and of all accounts together. Kept in the commit that records the outcomes, as
// increments: a row for each kind of outcome that occurs in a commit, however many mails that are.
//
// What counts: every line of a story that changed its recipient. So final states are recipients
// (of a delivery, where a mail that came back is moved from what it was counted as; an hour has
// both), and `deferred` is answers for later, of which one recipient may have several. Who never
// came to an attempt (suppressed when claimed, cancelled by a stop) is not counted here, nor is
// what was recorded before this was kept: a delivery's own counts (deliveries.h) have all, and the
// difference is what no cause is known of. Transactions and messages by SMTP have so few
// recipients that their stories are read instead; hours count them.
//
// Bounded by who records: OutcomeRecord::site is one of a limited number of names, else empty.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "mail/cause.h"
#include "mail/states.h"
#include "store/keys.h"

namespace todoku::store {

// Hours since 1970-01-01 00:00 UTC.
using HourNumber = std::int64_t;
[[nodiscard]] HourNumber hour_of(Instant instant);

// Hours are kept for so many days.
inline constexpr std::int64_t kOutcomeDaysKept = 62;

// Of an hour, writers at once need not wait for each other's row.
inline constexpr std::int64_t kOutcomeSlots = 4;

// All accounts together.
inline constexpr AccountKey kAllAccounts{0};

struct OutcomeCount {
  std::string site;  // empty: all that are too many to be counted by name
  RecipientState state = RecipientState::pending;
  Cause cause = Cause::none;
  std::int64_t mails = 0;
  // One of them, of the newest; nullopt: it is not there any more.
  std::optional<RecipientKey> sample;
  friend bool operator==(const OutcomeCount&, const OutcomeCount&) = default;
};

class OutcomeCountReads {
 public:
  virtual ~OutcomeCountReads() = default;
  // The largest counts first, at most `limit`; of one site if given ("" asks for the others).
  [[nodiscard]] virtual Result<std::vector<OutcomeCount>> outcomes_of(
      DeliveryKey key, const std::optional<std::string>& site, std::int64_t limit) = 0;
  // The same for the hours from `first` to before `end` of one account, or of kAllAccounts. Of many
  // hours: OutcomeHistory.
  struct Hours {
    AccountKey account = kAllAccounts;
    HourNumber first = 0;
    HourNumber end = 0;
    std::optional<std::string> site;
  };
  [[nodiscard]] virtual Result<std::vector<OutcomeCount>> outcomes_within(const Hours& hours,
                                                                          std::int64_t limit) = 0;
};

class ReadTransaction;

// A walk (walks.h) through the hours of a long time, some at a time; of those the 2,000 largest
// counts.
class OutcomeHistory {
 public:
  explicit OutcomeHistory(OutcomeCountReads::Hours hours) : hours_(std::move(hours)) {}
  static constexpr HourNumber kHoursTogether = 24;

  [[nodiscard]] Result<bool> step(ReadTransaction& transaction);
  // The largest counts first, at most `limit`.
  [[nodiscard]] std::vector<OutcomeCount> take(std::size_t limit);

 private:
  OutcomeCountReads::Hours hours_;  // that are still to be read
  std::map<std::tuple<std::string, RecipientState, Cause>, OutcomeCount> counts_;
};

class OutcomeCountWrites {
 public:
  virtual ~OutcomeCountWrites() = default;
  // Hours before this one, at most `rows`; false: more are left.
  [[nodiscard]] virtual Result<bool> drop_outcome_hours(HourNumber before, std::int64_t rows) = 0;
};

// For back ends: what one commit adds, in the order in which its rows are locked.
struct OutcomeTally {
  struct Of {
    std::int64_t mails = 0;
    std::int64_t sample = 0;  // outcome_sample()
  };
  // Site, state, cause.
  using Kind = std::tuple<std::string, RecipientState, Cause>;

  // What an outcome changed. `was`: the recipient's state before.
  struct Change {
    AccountKey account{};
    RecipientKey key;
    bool is_bulk = false;
    std::string_view site;
    RecipientState was = RecipientState::pending;
    RecipientState is = RecipientState::pending;
    Cause cause = Cause::none;
    // Of a mail that came back (OutcomeRecord::if_taken): it was counted at this site, for this.
    bool came_back = false;
    Cause cause_before = Cause::none;
  };
  void add(const Change& change);
  [[nodiscard]] bool empty() const { return deliveries.empty() && hours.empty(); }

  std::map<std::pair<DeliveryKey, Kind>, Of> deliveries;
  std::map<std::pair<AccountKey, Kind>, Of> hours;
};

// The largest counts first, at most `limit`; what came to nothing is left out.
void keep_largest(std::vector<OutcomeCount>& counts, std::size_t limit);

// A recipient as one number that grows with time; 0 is none. Its delivery is that of its batch.
[[nodiscard]] std::int64_t outcome_sample(const RecipientKey& key);
// The number of its batch, and its place in it.
inline constexpr int kSampleSeqBits = 9;
[[nodiscard]] std::optional<RecipientKey> sampled(std::int64_t sample,
                                                  std::optional<DeliveryKey> delivery);

}  // namespace todoku::store
