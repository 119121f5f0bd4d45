// SPDX-License-Identifier: Apache-2.0
// A backup made of what was shipped (log_shipper.h), to be restored like any other.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "store/sqlite/backup.h"
#include "store/sqlite/shipped_place.h"

namespace todoku::store::sqlite {

struct Gathered {
  BackupFigures figures;
  std::string chain;
  Instant at{};                // the last commit in it
  std::uint64_t segments = 0;  // that went into it
};

// The newest state, or the last one at `at` or before. Every part is checked, and that none is
// missing between the snapshot and the state. order.backup must not be there; order.database is not
// looked at. Errors: not_found (there is no snapshot of so early), corrupt (something is damaged or
// missing: the sentence says which, and until when a state can be restored), those of the place,
// unavailable (too little room), cancelled.
[[nodiscard]] Result<Gathered> gather_shipped(ShippedPlace& place, std::optional<Instant> at,
                                              const BackupOrder& order);

}  // namespace todoku::store::sqlite
