// SPDX-License-Identifier: Apache-2.0
// How one writer performs what it took: hot operations merged, functions each in a transaction of
// its own. Both are repeated where that helps: after a serialization failure or a deadlock, over a
// new connection when the old one is lost, and, when a commit's fate is unknown, once it is known.
#pragma once

#include <functional>

#include "store/address_hash.h"
#include "store/pending.h"
#include "store/postgres/connections.h"
#include "store/postgres/database_clock.h"
#include "store/postgres/hot.h"
#include "store/postgres/ids.h"
#include "store/postgres/link.h"
#include "store/postgres/session.h"
#include "store/postgres/store_time.h"
#include "store/store.h"

namespace todoku::store::postgres {

// What the store's time is told to be: nullopt, and the database's own counts.
struct TimeTold {
  Told now;
  Told wall;
};

// What performing needs of its owner. All members must be there.
struct Ground {
  Ids& ids;
  AddressHash hash;
  std::function<TimeTold()> time;
  // A connection that can be used, made if need be and if it can be there by `until`. unavailable:
  // there is none; for a change, too, while commits are not answered.
  std::function<Result<Link*>(Use, SteadyInstant until)> link;
  // Waits before the same is tried again. False: the store is closing.
  std::function<bool(int tries)> pause;
  Milliseconds flight_max{};
  // Where somebody waits at the other end: who is not answered until then is told so.
  SteadyInstant until = SteadyInstant::max();
  // Told the database's time with each question; may be null.
  DatabaseClock* clock = nullptr;
};

// Until when who waits for it is answered, what became of a commit found out or not.
[[nodiscard]] SteadyInstant answered_by(SteadyInstant asked);

// Answers each, and throws nothing. io: whether it is stored could not be found out.
template <class Op>
void perform_together(const Ground& ground, Together<Op> items);

[[nodiscard]] Result<void> perform_function(const Ground& ground, WriteWork& work);

// In a snapshot of its own, which is given up after `most`.
[[nodiscard]] Result<void> answer_question(const Ground& ground, ReadWork& work, Milliseconds most);

extern template void perform_together(const Ground&, Together<Accept>);
extern template void perform_together(const Ground&, Together<Settle>);
extern template void perform_together(const Ground&, Together<Claim>);
extern template void perform_together(const Ground&, Together<StageRows>);

}  // namespace todoku::store::postgres
