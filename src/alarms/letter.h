// SPDX-License-Identifier: Apache-2.0
// A report of alarms as a mail, and as the body of a call. Pure.
#pragma once

#include <string>
#include <vector>

#include "alarms/digest.h"
#include "base/clock.h"

namespace todoku::alarms {

struct Envelope {
  std::string host;             // this machine's name, for who reads it
  std::string from;             // address
  std::vector<std::string> to;  // addresses
  std::string message_id;       // without its brackets
};

// "todoku on mail1: 2 alarms, 1 over"
[[nodiscard]] std::string subject_of(const Report& report, const std::string& host);

// A whole message (RFC 5322), lines with CRLF: 7-bit, text in UTF-8 as base64, and marked as made
// by a machine (RFC 3834).
[[nodiscard]] std::string alarm_mail(const Report& report, const Envelope& envelope, Instant now);

// {"host", "alarms": [{event, detail, earlier: [], count, first, last}], "over": [...], "others"}
[[nodiscard]] std::string alarm_json(const Report& report, const std::string& host);

}  // namespace todoku::alarms
