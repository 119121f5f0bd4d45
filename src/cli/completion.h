// SPDX-License-Identifier: Apache-2.0
// Scripts by which shells complete the words of a command line, and man pages: both made from the
// tree of commands itself, so that neither can be of another version.
#pragma once

#include <string>
#include <string_view>

#include <CLI/App.hpp>

#include "base/bilingual.h"

namespace todoku::cli {

// `shell`: bash, zsh or fish. Which commands there are below each, and their options.
[[nodiscard]] std::string completion_script(const CLI::App& app, std::string_view shell);

// The page of `command`, which is called `name` ("todoku bulk send"), in roff with the macros of
// man(7); of the program the whole tree. `version` stands in its foot.
[[nodiscard]] std::string man_page(const CLI::App& command, const std::string& name,
                                   std::string_view version, Language language);

}  // namespace todoku::cli
