// SPDX-License-Identifier: Apache-2.0
// Downloads of the contract are zip archives with exactly one CSV (blastengine-api.md section 6.14,
// point 10).
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "intake/uploads.h"

namespace todoku::intake {

// Writes the archive that holds `pieces`, one after the other, under `name`. It is made in memory.
// Computes for long: for a thread that nobody waits for. Errors: io, and those of `into`.
[[nodiscard]] Result<void> write_zip(std::span<const std::string> pieces, const std::string& name,
                                     Uploads::Writer& into);

}  // namespace todoku::intake
