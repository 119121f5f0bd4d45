// SPDX-License-Identifier: Apache-2.0
// How events are written (store/events.h): one more statement in the flight that commits what they
// tell of.
#pragma once

#include "store/event_sheet.h"
#include "store/postgres/link.h"
#include "store/postgres/store_time.h"

// In a statement: the place of this transaction's sheets. A commit that is repeated is another
// transaction, and of two only one exists.
#define SHEET_PLACE \
  "((SELECT next FROM numbers WHERE line = 1) << 48) + pg_current_xact_id()::text::bigint"
// What a transaction tells in several statements is one sheet.
#define ONE_SHEET                               \
  " ON CONFLICT (account, place) DO UPDATE SET" \
  " entries = event_sheets.entries || excluded.entries"

namespace todoku::store::postgres {

// For a Link or a Session. Nothing is added if there is nothing to tell. `committed`: the store's
// time in this transaction, as far as it is known yet.
template <class To>
void add_events(To& to, CommitEvents& events, Told told, Instant committed);

}  // namespace todoku::store::postgres
