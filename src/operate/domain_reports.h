// SPDX-License-Identifier: Apache-2.0
// Reports of receivers as they are handed over, and what became of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bilingual.h"
#include "base/clock.h"

namespace todoku::operate {

// A file: a report, a message that carries some, or several messages (mbox).
struct HandedOverReports {
  std::string name;  // for who reads the answer
  std::string octets;
};

// A report that was handed over, or a part of one: TLS reports may be of several domains. Where
// several accounts have the domain, for one of them.
struct ImportedReport {
  enum class Outcome : std::uint8_t {
    added,
    repeated,  // it was there already
    refused,
  };
  std::string name;  // of the file or attachment
  Outcome outcome = Outcome::refused;
  BilingualText why = {};  // it is refused
  // As far as it could be read.
  std::string kind = {};  // dmarc, tls
  std::string organization = {};
  std::string report_id = {};
  std::string domain = {};
  Instant begin{};
  Instant end{};
  std::int64_t messages = 0;  // of TLS: sessions
  // Whose it became, or would have; empty: no more than one could have it.
  std::string account = {};
};

struct ImportedReports {
  std::vector<ImportedReport> reports;
  [[nodiscard]] std::int64_t count(ImportedReport::Outcome outcome) const;
};

// Of a day in a report: from the addresses of our sources, in an account's domain.
struct OwnMailFailing {
  std::string domain;
  std::string organization;  // whose report showed it
  std::int64_t day = 0;
  std::int64_t messages = 0;
  std::int64_t failed = 0;
};

}  // namespace todoku::operate
