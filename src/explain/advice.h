// SPDX-License-Identifier: Apache-2.0
// What an answer of a receiver means in plain words, and what its reader can do. One table, from
// the particular to the general: the words of the reply, its enhanced status code (RFC 3463 and the
// IANA registry), its code (RFC 5321 section 4.2.3), the stage. Pure.
#pragma once

#include "explain/language.h"
#include "mail/attempt.h"

namespace todoku::explain {

struct Advice {
  Sentence meaning;
  Sentence action;
};

// Always has something to say about an outcome that is an attempt.
[[nodiscard]] const Advice& advice_for(const Outcome& outcome);

}  // namespace todoku::explain
