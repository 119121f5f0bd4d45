// SPDX-License-Identifier: Apache-2.0
// A look into a database that is not ours to open: nothing of it is changed, and an engine may be
// at work on it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/postgres/dialer.h"

namespace todoku::store::postgres {

// A setting of the store; nullopt: it has none of that name. Errors: those of PostgresStore::open.
[[nodiscard]] Result<std::optional<std::string>> peek_setting(const DialOptions& dial,
                                                              std::string_view name,
                                                              bool must_keep = false);

}  // namespace todoku::store::postgres
