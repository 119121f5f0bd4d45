// SPDX-License-Identifier: Apache-2.0
// What became of each recipient of a delivery, as a file: above all whom a stop has reached and
// whom it has not. id, email, state, time, response code, message.
#pragma once

#include "events/exports/sheet.h"
#include "store/store.h"

namespace todoku::events::exports {

// A job's parameters are store::written(RecipientExport). unavailable, so that it is tried again,
// while a stop is still being written: only then the rows are those that the counts say.
[[nodiscard]] Result<void> produce_recipient_list(store::Store& store, const store::ExportJob& job,
                                                  Sheet& sheet);

}  // namespace todoku::events::exports
