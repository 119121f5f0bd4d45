// SPDX-License-Identifier: Apache-2.0
// What became of an attempt in plain words, and what its reader can do. The cause is decided
// elsewhere (feedback/classify) and stored; here it is only worded, by the book in force
// (advice_book.h). Pure.
#pragma once

#include <string_view>

#include "base/bilingual.h"
#include "mail/attempt.h"

namespace todoku::explain {

struct Advice {
  Sentence meaning;
  Sentence action;
  // What comes of itself. Said of mail that is not over, and of no other.
  Sentence comes = {"", ""};
  // What the reader of the mail can do, said to them (reader_text.h). May be empty.
  Sentence reader = {"", ""};
};

// Whose answer it is, for what is true of one receiver alone. Empty: not known.
struct Where {
  std::string_view address = {};  // of the recipient, or its domain
  std::string_view mx_host = {};
  std::string_view site = {};  // where that is known already
};

// Always has something to say about an outcome that is an attempt. `is_signed`: the mail goes out
// with DKIM signatures.
[[nodiscard]] const Advice& advice_for(const Outcome& outcome, bool is_signed,
                                       const Where& where = {});

}  // namespace todoku::explain
