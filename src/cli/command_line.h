// SPDX-License-Identifier: Apache-2.0
// The command line: which words there are and what each does.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "cli/host.h"

namespace todoku::cli {

// Runs the command in `arguments` (without the program's name). Results go to `out`, complaints to
// `err`. Exit status: 0 done, 1 not done, 2 the command line is wrong.
int run(const std::vector<std::string>& arguments, Host& host, std::ostream& out,
        std::ostream& err);

}  // namespace todoku::cli
