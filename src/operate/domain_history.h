// SPDX-License-Identifier: Apache-2.0
// What checks of one domain on the schedule found, and what changed from one to the next: kept with
// its claim (store/domains.h, DomainCheck), shown by `todoku domain history` and the API.
//
// Bounded: the faults that there are now, and the latest changes. A check that could not find out
// whether a fault is still there changes nothing about it: only an answer ends or begins one.
//
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"
#include "base/result.h"

namespace todoku::operate {

inline constexpr std::size_t kDomainFaultsMax = 40;
inline constexpr std::size_t kDomainChangesMax = 60;
inline constexpr std::size_t kDomainWordsMax = 500;  // octets of a sentence, and of a subject

// A finding of doctor/domain_check.h as it is kept.
struct DomainFinding {
  std::string code;     // "dkim_missing"
  std::string outcome;  // "pass", "warning", "fail", "not_determined"
  std::string subject;
  BilingualText sentence;
};

struct DomainFault {
  DomainFinding finding;  // a warning or a failure
  Instant since{};        // the check that found it first
};

struct DomainChange {
  Instant at{};
  bool is_fault = false;  // true: it broke; false: it is whole again
  DomainFinding finding;  // what was wrong
};

struct DomainHistory {
  std::optional<Instant> checked;     // the last check
  bool is_determined = false;         // it found out everything
  std::vector<DomainFault> faults;    // at most kDomainFaultsMax
  std::vector<DomainChange> changes;  // at most kDomainChangesMax, the newest first

  [[nodiscard]] bool fails() const;  // some fault is a failure
};

// Takes what a check found at `now`. What has changed since the check before: nothing where this is
// the first.
[[nodiscard]] std::vector<DomainChange> note_check(DomainHistory& history,
                                                   std::span<const DomainFinding> findings,
                                                   Instant now);

[[nodiscard]] std::string pack_history(const DomainHistory& history);
// Of an empty text: the history of who was never checked. Errors: corrupt.
[[nodiscard]] Result<DomainHistory> unpack_history(std::string_view packed);

}  // namespace todoku::operate
