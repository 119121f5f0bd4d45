// SPDX-License-Identifier: Apache-2.0
// Names that were meant, by names that there are not.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace todoku {

// Number of single-character edits between two names.
[[nodiscard]] std::size_t edit_distance(std::string_view a, std::string_view b);

// " (did you mean api.listen?)", or nothing if no name is near. A name whose last part, after a
// dot, is the right one is as near as a slip of two letters.
[[nodiscard]] std::string suggestion(std::string_view unknown, std::span<const std::string> names);

}  // namespace todoku
