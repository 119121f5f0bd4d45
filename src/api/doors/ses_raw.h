// SPDX-License-Identifier: Apache-2.0
// Content.Raw of Amazon SES v2's SendEmail: a message that is whole already, on its way to intake
// as one that was submitted by SMTP is. What becomes of its fields is said in intake/submission.
#pragma once

#include <string>
#include <vector>

#include "api/doors/ses.h"
#include "base/clock.h"
#include "intake/problem.h"
#include "intake/submitted.h"

namespace todoku::api::doors::ses {

struct RawFacts {
  Instant now{};
  std::string message_id;  // without angle brackets, of a message that has none
  std::string repeat_key;  // by which a repeat is known (intake/submitted.h); empty: by none
  // As whom this installation stands in Received, and by which names it knows itself there, lower
  // case: a message that went through it too often goes in a loop.
  std::string hostname = "localhost";
  std::vector<std::string> own_names = {};
};

struct RawMail {
  intake::SubmittedMail mail;
  intake::Problems problems;  // then there is no mail
  std::vector<Path> places;   // where each recipient of the mail is named
  Mailbox sender;             // whom the request names; empty: only the message does
};

// `email` has Email::raw.
[[nodiscard]] RawMail read_raw_mail(Email email, const intake::Limits& limits,
                                    const RawFacts& facts);

}  // namespace todoku::api::doors::ses
