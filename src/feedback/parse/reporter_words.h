// SPDX-License-Identifier: Apache-2.0
// What a reporting system says of itself where no receiver has answered: that nobody could be
// reached, that the domain is not there, that it took too long.
#pragma once

#include <optional>
#include <string_view>

#include "mail/cause.h"

namespace todoku::feedback::parse {

// `status` is what is told beside it, "4.4.7", or empty. nullopt: the words are about something
// else, to be read as a receiver's.
[[nodiscard]] std::optional<Cause> cause_of_reporter(std::string_view text,
                                                     std::string_view status);

// It was given up for its age. Systems say so as the reply of a receiver, too.
[[nodiscard]] bool says_expired(std::string_view text);

// "Try again", "temporary": it may be otherwise tomorrow.
[[nodiscard]] bool says_for_now(std::string_view text);

}  // namespace todoku::feedback::parse
