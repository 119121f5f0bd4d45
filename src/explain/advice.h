// SPDX-License-Identifier: Apache-2.0
// What became of an attempt in plain words, and what its reader can do. The cause is decided
// elsewhere (feedback/classify) and stored; here it is only worded. Pure.
#pragma once

#include "base/bilingual.h"
#include "mail/attempt.h"

namespace todoku::explain {

struct Advice {
  Sentence meaning;
  Sentence action;
  // What comes of itself. Said of mail that is not over, and of no other.
  Sentence comes = {"", ""};
};

// Always has something to say about an outcome that is an attempt. `is_signed`: the mail goes out
// with DKIM signatures.
[[nodiscard]] const Advice& advice_for(const Outcome& outcome, bool is_signed);

}  // namespace todoku::explain
