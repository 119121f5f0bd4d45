// SPDX-License-Identifier: Apache-2.0
// A program of the operator's, run once, within bounds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace todoku::app {

struct ChildOrder {
  std::vector<std::string> words;  // the program by its path, and its arguments
  std::string_view input;          // on its standard input
  Milliseconds most{};             // after which it is killed, with those it has started
  std::size_t output_max = 0;      // octets
  bool takes_errors = false;    // its standard error is output, too; else it goes where ours goes
  bool has_environment = true;  // ours; else PATH only, for ours may hold secrets
};

// What it printed. Blocks. Errors: unavailable (it cannot be run, takes too long, prints too much
// while `takes_errors` is not set, was ended by a signal or ends with a status that is not 0: with
// that, and what it printed, where errors are taken).
[[nodiscard]] Result<std::string> run_child(const ChildOrder& order);

}  // namespace todoku::app
