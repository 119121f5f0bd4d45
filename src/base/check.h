// SPDX-License-Identifier: Apache-2.0
// check(): invariants of our own code, on in release builds too. Never used on anything that came
// from the network, a file, a user or the database.
#pragma once

#include <source_location>
#include <string_view>

namespace todoku {

// Logs the message with its place to standard error and aborts.
[[noreturn]] void check_failed(std::string_view message, std::source_location where);

inline void check(bool condition, std::string_view message,
                  std::source_location where = std::source_location::current()) {
  if (!condition) [[unlikely]]
    check_failed(message, where);
}

}  // namespace todoku
