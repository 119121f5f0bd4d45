// SPDX-License-Identifier: Apache-2.0
// The words of the database and of libpq are for the log, where few of them do: a database that is
// in trouble says the same all the time. Who asked the store reads a sentence of ours.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "store/postgres/link.h"

namespace todoku::store::postgres {

// What is told: that something failed, or what the database says of its own accord.
enum class Words : std::uint8_t { failure, notice };

// One line, shortened; of each kind a few a minute. The next one tells how many were left out.
void log_words(Words kind, std::string_view event, std::string_view words) noexcept;

// Of a flight that failed. What the database refused is not stored: unavailable where the
// error's kind would say that it may be. Told without memory, too.
[[nodiscard]] Error in_our_words(const Failure& failure, const Error& error) noexcept;

}  // namespace todoku::store::postgres
