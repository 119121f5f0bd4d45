// SPDX-License-Identifier: Apache-2.0
// Returned mail of systems that write for people alone: who is meant is found by where an address
// stands, not by whose text it is, so that forms nobody has seen are read as well.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "feedback/parse/bounce.h"

namespace todoku::feedback::parse {

// The text up to where the returned message begins.
[[nodiscard]] std::string_view before_original(std::string_view text);

// Whom `text`, as by before_original(), speaks of, each with the words that stand with the address.
// `others`: addresses in lower case that are known to be none, such as the one it was sent to.
// What is said of nobody in particular holds for all.
[[nodiscard]] std::vector<ReturnedRecipient> read_free_text(std::string_view text,
                                                            const std::vector<std::string>& others);

// The words of a text that names nobody, as a reply, printable (base/printable.h).
[[nodiscard]] Reply words_as_reply(std::string_view text);

}  // namespace todoku::feedback::parse
