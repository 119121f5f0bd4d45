// SPDX-License-Identifier: Apache-2.0
// Messages on their way to the user: as octets, or in parts for people.
#pragma once

#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "base/result.h"
#include "cli/session.h"

namespace todoku::cli {

// Octet for octet into a file of the user's alone; "-": standard output. Errors: a sentence.
[[nodiscard]] Result<void> put_message(Session& session, const std::string& file,
                                       std::string_view message);

// Under its title; nothing where the text is empty.
void print_part(Session& session, const Sentence& title, std::string_view text);

}  // namespace todoku::cli
