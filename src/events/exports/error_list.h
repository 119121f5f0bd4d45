// SPDX-License-Identifier: Apache-2.0
// The contract's error-stop list as a file (blastengine-api.md section 2.16): id, date, email,
// response code, message.
#pragma once

#include "events/exports/sheet.h"
#include "store/store.h"

namespace todoku::events::exports {

// A job's parameters are store::written(filter).
[[nodiscard]] Result<void> produce_error_list(store::Store& store, const store::ExportJob& job,
                                              Sheet& sheet);

}  // namespace todoku::events::exports
