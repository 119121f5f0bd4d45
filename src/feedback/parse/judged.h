// SPDX-License-Identifier: Apache-2.0
// What a returned mail means for the address and for the sender: read by the tables by which the
// replies of our own dialogues are.
#pragma once

#include <string>
#include <string_view>

#include "feedback/parse/bounce.h"
#include "mail/cause.h"

namespace todoku::feedback::parse {

struct Judged {
  // A word for people and programs: a Cause's, or "complaint", "not_spam", "auth_failure",
  // "auto_reply", "delivered", "none".
  std::string word;
  Cause cause = Cause::none;
  bool permanent = false;  // the same would fail again
  bool suppress = false;   // it speaks against the address itself, or its reader wants no more
  std::string rule;        // by what it was decided, for who asks why
};

// `recipient` is one of bounce.recipients; nullptr: of a mail that names none.
[[nodiscard]] Judged judge(const Bounce& bounce, const ReturnedRecipient* recipient);

// A reply alone, as `todoku bounce classify --reply` is given it: "550 5.1.1 User unknown".
// `site`: whose, for rules of one site; empty: not known.
[[nodiscard]] Judged judge_reply(const Reply& reply, Stage stage, std::string_view site = {});

}  // namespace todoku::feedback::parse
