// SPDX-License-Identifier: Apache-2.0
// Tells the world of the platform's zone: as a file, by a program of the operator's, or both.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "operate/key_zone.h"

namespace todoku::app {

struct KeyZoneWriter {
  std::string file;               // empty: none
  std::vector<std::string> hook;  // empty: none
  Milliseconds hook_most{};

  // The file as a whole, replaced at once, readable by everybody; untouched where it is so already.
  // Blocks. Errors: io.
  [[nodiscard]] Result<void> write(std::string_view text) const;
  // `update` on its standard input. Blocks for `hook_most` at most. Errors: unavailable.
  [[nodiscard]] Result<void> run(std::string_view update) const;
};

}  // namespace todoku::app
