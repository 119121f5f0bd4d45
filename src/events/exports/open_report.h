// SPDX-License-Identifier: Apache-2.0
// The contract's report of who opened a delivery (blastengine-api.md section 2.14): id, email, when
// it was opened first and last, how often, and when it was loaded by what reads nothing.
#pragma once

#include "events/exports/sheet.h"
#include "store/store.h"

namespace todoku::events::exports {

// A job's parameters: the delivery's public id.
[[nodiscard]] Result<void> produce_open_report(store::Store& store, const store::ExportJob& job,
                                               Sheet& sheet);

}  // namespace todoku::events::exports
