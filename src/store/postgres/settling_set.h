// SPDX-License-Identifier: Apache-2.0
// What a settlement decides on, read under the locks of its batches, and what it makes of it. The
// same for the outcomes that couriers tell and for what is to be said of those whose holder says
// nothing any more.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "store/event_sheet.h"
#include "store/numbers.h"
#include "store/outcome_counts.h"
#include "store/postgres/wire.h"
#include "store/settling.h"
#include "store/work.h"

namespace todoku::store::postgres {

using Place = std::pair<std::int64_t, std::int64_t>;  // batch number, seq

[[nodiscard]] inline Place place_of(const RecipientKey& key) {
  return {batch_number(key.delivery, key.batch), key.seq};
}

// As stored, and what its pieces make of it.
struct SettlingBatch {
  DeliveryKey delivery{};
  AccountKey account{};
  TrafficClass traffic{};
  PublicId first_email_id = 0;
  std::int64_t size = 0;
  bool has_holes = false;
  std::int64_t open = 0;
  std::uint64_t token = 0;
  NodeKey holder = kNobody;
  std::int64_t losses = 0;
  std::optional<std::int64_t> alone;
  std::optional<Instant> ready_at;
  Instant expires{};
  bool known = false;  // its delivery is going out, or has
  Course course{};
  bool stopped = false;
  Begun underway = 0;

  std::int64_t settled = 0;
  bool recorded = false;
  bool released = false;
  Instant not_before{};
  bool says_more = false;      // of who is under way
  std::optional<Instant> due;  // the earliest new one

  [[nodiscard]] bool absolved() const {
    return recorded && losses > 0 && losses < kLossesToSuspect;
  }
  [[nodiscard]] bool hastens() const {
    return holder == kNobody && due && ready_at && *due < *ready_at;
  }
  [[nodiscard]] bool changes() const {
    return settled > 0 || released || says_more || absolved() || hastens();
  }
};

// A recipient's state, and what is added to its story. Several outcomes of one are one row.
struct SettlingRecipient {
  bool present = false;
  bool touched = false;
  bool aside = false;
  RecipientState state = RecipientState::pending;
  std::int64_t attempts = 0;
  std::optional<Instant> due;
  std::string more;
};

// A recipient's place among those who were not sent to (store/logs.h), before and after.
struct SettlingLog {
  AccountKey account{};
  PublicId id = 0;
  RecipientState was = RecipientState::pending;
  RecipientState is = RecipientState::pending;
  int code = 0;
};

// An outcome that speaks against an address.
struct HardError {
  Place place;
  Instant at{};
  int code = 0;
  std::string text;
};

struct SettlingSet {
  Instant now{};
  std::map<std::int64_t, SettlingBatch> batches;
  std::map<Place, SettlingRecipient> recipients;
  std::set<Place> there;
  std::set<Place> on_their_way;  // of whom nothing is recorded yet
  std::set<Place> arrived;       // no more
  std::set<Place> absolved;
  std::map<Place, SettlingLog> log;  // of whom it changes
  std::vector<HardError> hard_errors;
  std::map<DeliveryKey, DeliveryCounts> counts;  // to be added, of each that is touched
  std::map<DeliveryKey, std::int64_t> totals;    // recipients of each that goes out, or has
  std::map<DeliveryKey, Course> courses;         // likewise
  CommitEvents events;
  OutcomeTally tally;

  // The answers to what add_reading() added.
  [[nodiscard]] static SettlingSet of(std::span<const Table> answers, Instant now);
  // not_found: no such recipient, or its delivery was deleted.
  [[nodiscard]] Result<OutcomeRecorded> settle(const OutcomeRecord& outcome);
  // conflict: the lease has passed to somebody else; not_found.
  [[nodiscard]] Result<void> mark(const BegunMark& mark);
  void keep_log(const SettlingBatch& its, const Place& place, RecipientState next, int code);
  // Those who are on their way in this batch, whose holder says nothing any more.
  [[nodiscard]] Result<void> doubt(const BatchKey& key);
  // nullptr: it is not there, or its number is another delivery's.
  [[nodiscard]] SettlingBatch* batch(const BatchKey& key) {
    const auto found = batches.find(batch_number(key));
    if (found == batches.end() || found->second.delivery != key.delivery) return nullptr;
    return found->second.known ? &found->second : nullptr;
  }
};

// Statements that lock the batches and read what there is to decide on. For a Link or a Session.
inline constexpr std::size_t kReadingStatements = 6;
template <class To>
void add_reading(To& to, const std::set<BatchKey>& batches, const std::set<Place>& places);

// The statements that write it: those about batches and deliveries last.
template <class To>
void add_recipients(To& to, const SettlingSet& set);
// Answers number, open recipients and when it is due for each batch that changes.
template <class To>
void add_batches(To& to, const SettlingSet& set);
// Two statements; the second answers which deliveries it ends, and tells the events.
template <class To>
void add_counts(To& to, SettlingSet& set);

}  // namespace todoku::store::postgres
