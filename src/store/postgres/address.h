// SPDX-License-Identifier: Apache-2.0
// The address of a database as somebody wrote it, before anybody connects.
#pragma once

#include <string>

#include "base/result.h"

namespace todoku::store::postgres {

// Whether a store can be reached by it: it is a URI or name=value pairs that libpq knows, holds no
// password (which would be shown wherever addresses are), and does not ask for a server that only
// reads. unsupported: it holds a password; else invalid_input. The sentence repeats nothing that
// might be one.
[[nodiscard]] Result<void> check_address(const std::string& address);

// Which database, where, without who connects to it and how: "db.example.jp:5432/todoku".
[[nodiscard]] std::string address_name(const std::string& address);

// For people: which database, where.
[[nodiscard]] std::string describe_address(const std::string& address);

}  // namespace todoku::store::postgres
