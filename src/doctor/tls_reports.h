// SPDX-License-Identifier: Apache-2.0
// The record by which a domain asks for reports about TLS of mail to it (RFC 8460 section 3).
#pragma once

#include <string>
#include <vector>

#include "base/bilingual.h"

namespace todoku::doctor {

struct TlsReports {
  bool is_there = false;  // a text that was meant to be the record
  Sentence fault;         // why it counts for nothing; empty: it counts
  std::string record;     // where it counts
};
// `texts`: the TXT records at "_smtp._tls", joined.
[[nodiscard]] TlsReports read_tls_reports(const std::vector<std::string>& texts);

}  // namespace todoku::doctor
