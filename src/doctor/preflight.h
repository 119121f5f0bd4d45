// SPDX-License-Identifier: Apache-2.0
// "Will it arrive?": what a delivery that has not begun is judged by, before receivers do it. The
// facts are gathered outside; here they become findings.
//
//   preflight_authentication.h   DKIM, SPF, DMARC of the very message
//   preflight_mail.h             header, size, parts, one-click; law_notices.h
//   preflight_content.h          links, pictures, files, codes that are none
//   preflight_audience.h         whom it goes to
//
// What is not known in time is `not_determined`, and the report says how much of the list the facts
// are about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "doctor/finding.h"
#include "doctor/preflight_audience.h"
#include "doctor/preflight_authentication.h"
#include "doctor/preflight_mail.h"

namespace todoku::doctor {

// What the facts of a preflight cover.
struct PreflightCoverage {
  std::int64_t recipients = 0;  // of the delivery
  // Domains of the list that the DNS was asked about, those that it answered, and the recipients
  // that are at the domains asked about.
  std::int64_t domains_asked = 0;
  std::int64_t smaller_domains_asked = 0;  // of them: a sample of those beyond the largest
  std::int64_t domains_answered = 0;
  std::int64_t recipients_asked = 0;
  // The domains are those of the sample, because the delivery's are not counted: then
  // `recipients_asked` counts recipients of the sample.
  bool domains_of_sample = false;
  std::int64_t sampled = 0;   // recipients that were looked at
  std::int64_t composed = 0;  // of them those whose message was made
};

struct PreflightReport {
  PreflightCoverage coverage;
  std::vector<Finding> findings;  // in the order of PreflightKind

  // Codes that break the rules for bulk senders: where the account has it so, a bulk with one of
  // them is refused. Nothing that is not determined is among them.
  [[nodiscard]] std::vector<std::string_view> broken_bulk_rules() const;
};

// A pace at which not all of it is begun before its life ends.
struct SlowPace {
  std::string pace;       // "600/minute"
  std::int64_t late = 0;  // mails, about
  Instant ends{};
};

struct PreflightInput {
  bool is_bulk = false;
  std::vector<SampleMail> samples;
  std::vector<SampleContent> contents;  // of each sample
  std::vector<NotMade> not_made;        // of those that were to be samples
  Authentication authentication;
  Audience audience;
  std::vector<MissingCode> missing_codes;
  std::optional<SlowPace> slow_pace = {};
  PreflightCoverage coverage;
};
[[nodiscard]] PreflightReport preflight_report(const PreflightInput& input,
                                               std::string_view delivery);
// What is said of the mails themselves, which nobody had to be asked for: nothing of
// authentication, nor of whom they go to. Of `input.audience` its domains count, by whose rules a
// mail is judged.
[[nodiscard]] PreflightReport lint_report(const PreflightInput& input);

}  // namespace todoku::doctor
