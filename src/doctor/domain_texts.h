// SPDX-License-Identifier: Apache-2.0
// The findings about a domain: each code with its outcome, who minds it, and its words.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "doctor/finding.h"

namespace todoku::doctor {

struct DomainText {
  std::string_view code;
  Outcome outcome = Outcome::pass;
  Receivers minded_by;
  Sentence sentence;  // {0}, {1}, {2}: see domain_texts.cc
  Sentence why;       // empty with pass and not_determined
  Sentence advice;    // what to do; empty where the line to paste says it
};

[[nodiscard]] std::span<const DomainText> domain_texts();

// The facts of a finding's sentence: its subject is {0}.
struct DomainFacts {
  std::string subject;
  std::string first{};     // {1}
  std::string second{};    // {2}
  std::string first_ja{};  // {1} of the Japanese sentence; empty: reason_in_japanese() of it
};

// `code` is one of domain_texts(). Facts may come from outside: they are shown().
[[nodiscard]] Finding domain_finding(std::string_view code, const DomainFacts& facts);

}  // namespace todoku::doctor
