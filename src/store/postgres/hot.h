// SPDX-License-Identifier: Apache-2.0
// The hot operations (store/work.h): those of a kind that wait are merged into one transaction of
// one flight or two, and each is answered for itself. What fails as a whole has changed nothing;
// perform_together() repeats it, in halves if the database refuses it.
//
// Order of locks: nodes (shared), import jobs, batches, suspects, suppressions, deliveries,
// accounts; by key within each (what functions lock besides: store/work.h). What is decided under a
// lock is read by a statement after the one that locks: a snapshot may be older than the lock that
// was waited for.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "store/address_hash.h"
#include "store/bells.h"
#include "store/dictionary.h"
#include "store/pending.h"
#include "store/postgres/fate.h"
#include "store/postgres/ids.h"
#include "store/postgres/link.h"
#include "store/postgres/store_time.h"
#include "store/work.h"

namespace todoku::store::postgres {

// What a merged set is performed with.
struct Hot {
  Link& link;
  Ids& ids;
  const AddressHash& hash;
  Told told;
  Milliseconds flight_max{};
};

// A merged set on its way. It is performed once: whoever repeats it begins with a new one.
template <class Op>
class Flight;

template <>
class Flight<Accept> {
 public:
  explicit Flight(Together<Accept> items) : items_(items) {}
  // Answers every item. An error, or what is thrown: hot.link.failure() says what is known.
  [[nodiscard]] Result<void> perform(Hot& hot, std::int64_t token);
  // After a commit in doubt that turned out to be stored.
  [[nodiscard]] Result<void> answer_stored(Hot& hot, std::int64_t token);

 private:
  Together<Accept> items_;
  std::vector<Pending<Accept>*> flying_;             // those that nothing speaks against
  std::map<std::int64_t, Pending<Accept>*> by_key_;  // those that were sent
  [[nodiscard]] Result<void> fly(Hot& hot, std::int64_t token);
  // Answers those whose idempotency key has an answer; whether there are any.
  [[nodiscard]] Result<bool> leave_out_repeats(Hot& hot);
  // The same of those whose octets in pieces are not there (any more).
  [[nodiscard]] Result<bool> leave_out_missing(Hot& hot);
  void take_dropped(const Table& dropped);
  void take_answer(const Table& batches);
};

template <>
class Flight<Settle> {
 public:
  explicit Flight(Together<Settle> items) : items_(items) {}
  [[nodiscard]] Result<void> perform(Hot& hot, std::int64_t token);
  [[nodiscard]] Result<void> answer_stored(Hot& hot, std::int64_t token);

 private:
  Together<Settle> items_;
  std::multimap<std::int64_t, Result<BatchReleased>*> released_;  // by batch
  std::vector<DeliveryKey> touched_;
  Instant now_{};
};

template <>
class Flight<Claim> {
 public:
  explicit Flight(Together<Claim> items) : items_(items) {}
  [[nodiscard]] Result<void> perform(Hot& hot, std::int64_t token);
  [[nodiscard]] Result<void> answer_stored(Hot& hot, std::int64_t token);
  [[nodiscard]] bool has_damaged() const { return !damaged_.empty(); }
  // What was leased and cannot be read: it was answered so, and nobody holds it. Once the flight is
  // stored.
  [[nodiscard]] Result<void> put_back_damaged(Hot& hot, std::int64_t token) const;

 private:
  Together<Claim> items_;
  std::vector<std::int64_t> damaged_;  // leased, and cannot be read
};

template <>
class Flight<StageRows> {
 public:
  explicit Flight(Together<StageRows> items) : items_(items) {}
  [[nodiscard]] Result<void> perform(Hot& hot, std::int64_t token);
  [[nodiscard]] Result<void> answer_stored(Hot& hot, std::int64_t token);

 private:
  Together<StageRows> items_;
};

// For the transaction of a question: what the server does not let it exceed.
extern const Sql kQuestionLimits;

// One statement, one flight.
[[nodiscard]] Result<DueDomains> find_due(Link& link, const Due& due, Told told, Milliseconds most);

// One flight, and a transaction of its own without BEGIN and COMMIT: where nothing is done but
// listened, one statement.
[[nodiscard]] Result<BellsHeard> perform_bells(Link& link, const BellWork& work, Told told,
                                               Milliseconds most);

}  // namespace todoku::store::postgres
