// SPDX-License-Identifier: Apache-2.0
// Replies and our own stored sentences as people read them. What we say ourselves is stored in
// English, with facts in it (a time, an address, what a system call said); here the sentences that
// we know are put into the reader's language, facts as they are. Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/bilingual.h"
#include "mail/attempt.h"

namespace todoku::explain {

// "250 2.0.0 OK", all lines of a reply on one; our own sentence if there was none. What a receiver
// said stays as it is.
[[nodiscard]] std::string reply_text(const Reply& reply, Language language);

// The same, where a note of ours may stand behind what the receiver said.
[[nodiscard]] std::string answer_text(const Outcome& outcome, Language language);

// A sentence of ours without its status code; as it is if it is not known.
[[nodiscard]] std::string own_words(std::string_view sentence, Language language);

}  // namespace todoku::explain
