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
#include <cstdint>
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
inline constexpr std::size_t kDomainRecordsMax = 60;
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

// Of a record that a domain needs.
enum class RecordState : std::uint8_t {
  not_checked,  // nobody has looked, or nobody answered
  published,
  missing,
  different,  // another is there that it has to replace
};
[[nodiscard]] std::string_view to_string(RecordState state);

// A record as doctor/domain_records.h makes it, and what a check saw of it.
struct DomainRecord {
  std::string name;
  std::string type;
  std::string value;
  BilingualText purpose;
  BilingualText problem;  // why it must not be put there as it stands; empty: nothing is wrong
  RecordState state = RecordState::not_checked;
  bool is_optional = false;
  bool is_for_later = false;  // not before something else is done, which the purpose says
  bool is_elsewhere = false;  // in the zone of another
};

struct DomainHistory {
  std::optional<Instant> checked;     // the last check
  bool is_determined = false;         // it found out everything
  std::vector<DomainFault> faults;    // at most kDomainFaultsMax
  std::vector<DomainChange> changes;  // at most kDomainChangesMax, the newest first
  std::vector<DomainRecord> records;  // at most kDomainRecordsMax; none: no check read the zone

  [[nodiscard]] bool fails() const;  // some fault is a failure
};

// The history as it is told of a domain.
struct DomainHistoryView {
  std::string account;
  std::string domain;
  DomainHistory history;
  std::optional<Instant> next;  // when it is checked again; nullopt: as soon as it is proven
  // Why no check is to come: "not_proven", "switched_off"; empty: one is.
  std::string_view not_checked;
};

// Takes what a check found at `now`. What has changed since the check before: nothing where this is
// the first.
[[nodiscard]] std::vector<DomainChange> note_check(DomainHistory& history,
                                                   std::span<const DomainFinding> findings,
                                                   Instant now);
// And what it saw of the records; of none, nothing: those before stay.
void note_records(DomainHistory& history, std::vector<DomainRecord> records);

[[nodiscard]] std::string pack_history(const DomainHistory& history);
// Of an empty text: the history of who was never checked. Errors: corrupt.
[[nodiscard]] Result<DomainHistory> unpack_history(std::string_view packed);

}  // namespace todoku::operate
