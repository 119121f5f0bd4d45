// SPDX-License-Identifier: Apache-2.0
// What processes tell each other of their looks at sending addresses, through settings of the
// store: a source rests only where another passes the check that it fails (doctor/source_rest.h),
// and where each process has one address, that other is another process's. What is told lasts as
// long as it counts, an hour; nothing hangs on it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "doctor/source_identity.h"
#include "doctor/source_rest.h"
#include "store/store.h"

namespace todoku::app {

// Overwrites what was told of these sources before.
[[nodiscard]] Task<Result<void>> tell_looks(store::Store& store,
                                            std::vector<doctor::SourceLook> looks);

// Of sources that live processes could send from, without those in `here`. `now` is that of the
// clock by which the caller counts.
[[nodiscard]] Task<Result<std::vector<doctor::LookElsewhere>>> looks_elsewhere(
    store::Store& store, std::vector<std::string> here, SteadyInstant now);

// "1780000000000 whole ptr ehlo": when by the store's time, whether nothing failed, and which
// checks passed.
[[nodiscard]] std::string pack_look(const doctor::SourceLook& look, Instant at);
// nullopt: another version wrote it.
[[nodiscard]] std::optional<doctor::LookElsewhere> unpack_look(std::string_view source,
                                                               std::string_view packed, Instant now,
                                                               SteadyInstant steady_now);

}  // namespace todoku::app
