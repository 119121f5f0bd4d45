// SPDX-License-Identifier: Apache-2.0
// What the library that reads the command line (CLI11) says, in the language of the user.
#pragma once

#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "base/bilingual.h"

namespace todoku::cli {

// Before any option or command is added to `app`, which is the program or a command: its --help,
// and the headings of what that shows.
void speak_language(CLI::App& app, Language language);

// `what` is CLI11's sentence about wrong words; all lines of the complaint.
[[nodiscard]] std::string complaint(std::string_view what, Language language);

}  // namespace todoku::cli
