// SPDX-License-Identifier: Apache-2.0
#include "mail/stage_word.h"

namespace todoku {

std::optional<Stage> stage_of(std::string_view word) {
  for (int i = 0; i <= static_cast<int>(Stage::accepted); ++i) {
    if (to_string(static_cast<Stage>(i)) == word) return static_cast<Stage>(i);
  }
  return std::nullopt;
}

}  // namespace todoku
