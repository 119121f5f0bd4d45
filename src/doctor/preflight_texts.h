// SPDX-License-Identifier: Apache-2.0
// The findings of a preflight (preflight.h): each code with its outcome, what it is about, whether
// it breaks the rules that large receivers have for bulk senders, who minds it, and its words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "doctor/finding.h"

namespace todoku::doctor {

// What a finding is about, in the order of reading.
enum class PreflightKind : std::uint8_t {
  authentication,  // DKIM, SPF, DMARC of this very message
  unsubscribe,     // one-click (RFC 8058)
  header,          // RFC 5322, and what filters take amiss
  body,            // sizes, encodings, insert codes
  audience,        // whom it goes to
  law,             // what the law wants of advertisements: never more than a warning
};
[[nodiscard]] std::string_view to_string(PreflightKind kind);

struct PreflightText {
  std::string_view code;
  PreflightKind kind = PreflightKind::authentication;
  Outcome outcome = Outcome::pass;
  // A bulk for which this is found is refused where the account has it so (preflight `enforce`).
  bool breaks_bulk_rules = false;
  Receivers minded_by;
  Sentence sentence;  // {0}, {1}, {2}: see preflight_tables.h
  Sentence why;       // empty with pass and not_determined
  Sentence advice;
};

[[nodiscard]] std::span<const PreflightText> preflight_texts();
// `code` is one of them.
[[nodiscard]] const PreflightText& preflight_text(std::string_view code);

// The facts of a finding's sentence: its subject is {0}.
struct PreflightFacts {
  std::string subject;
  std::string first{};      // {1}
  std::string second{};     // {2}
  std::string first_ja{};   // {1} of the Japanese sentence; empty: the same
  std::string second_ja{};  // likewise {2}
};

// `code` is one of preflight_texts(). Facts may come from outside: they are shown().
[[nodiscard]] Finding preflight_finding(std::string_view code, const PreflightFacts& facts);

}  // namespace todoku::doctor
