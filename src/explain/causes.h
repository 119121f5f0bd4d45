// SPDX-License-Identifier: Apache-2.0
// What became of many mails, by receiver and cause: how many, with the receiver's words to one of
// them, what they mean, whose turn it is and what to do. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "explain/time_text.h"
#include "mail/cause.h"
#include "mail/states.h"
#include "store/deliveries.h"
#include "store/outcome_counts.h"
#include "store/recipients.h"

namespace todoku::explain {

// Outcomes of one kind that are no delivery: recipients who ended so, or answers for later.
struct CauseLine {
  std::string site;  // empty: the others
  RecipientState state = RecipientState::pending;
  Cause cause = Cause::none;
  std::int64_t mails = 0;
  std::optional<store::RecipientKey> key;
  std::optional<store::Story> sample;  // of whom it is, once it is read
};

struct SiteSum {
  std::string site;
  std::int64_t ended = 0;  // recipients
  std::int64_t delivered = 0;
};

struct Causes {
  std::vector<SiteSum> sites;    // those with the most failures first
  std::vector<CauseLine> lines;  // the most mails first
  bool more = false;             // there are lines that are not told
};

// At most `most` lines, and so many sites. Of a delivery: those who ended and of whom no outcome is
// counted (store/outcome_counts.h) are among the others.
[[nodiscard]] Causes causes_in(std::span<const store::OutcomeCount> counts, std::size_t most,
                               const std::optional<store::DeliveryCounts>& of_delivery = {});
// The same of stories that were all read, where the names of sites are the recipients' domains.
[[nodiscard]] Causes causes_in(std::span<const store::Story> stories, std::size_t most);

// A line as people read it.
struct ToldCause {
  // Of those who ended at this receiver, in per mille; nullopt: answers for later.
  std::optional<double> share;
  std::string meaning;
  std::string action;
  std::string whose;   // turn it is
  std::string answer;  // of the sample, on one line; empty: there is none
  std::optional<Instant> answered;
};
[[nodiscard]] ToldCause told_cause(const Causes& causes, const CauseLine& line, Language language);

struct CausesHeading {
  std::string of;  // "delivery 42", "docomo, 2026-01-05 10:00:00 JST to ..."
  std::optional<store::DeliveryCounts> counts;
  std::string course;  // one line: that it is paused, say; may be empty
};
// Ends with a line break.
[[nodiscard]] std::string tell_causes(const CausesHeading& heading, const Causes& causes,
                                      Language language, std::chrono::minutes offset = kJapan);

}  // namespace todoku::explain
