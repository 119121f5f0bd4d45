// SPDX-License-Identifier: Apache-2.0
// The records that a domain needs in the DNS, as they are told to whoever publishes them: made from
// its keys and from who sends (doctor/domain_records.h), each with what the last check on the
// schedule saw of it (operate/domain_history.h). Nobody's servers are asked for it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "doctor/domain_records.h"
#include "operate/domain_history.h"
#include "store/store.h"

namespace todoku::operate {

struct DomainRecordsView {
  std::string account;
  std::string domain;
  std::optional<Instant> checked;  // when what is told of the states was seen; nullopt: never
  std::vector<DomainRecord> records;
  bool has_keys = false;  // something signs mail of the domain, or will
  // Sources whose address as receivers see it is not known: SPF lacks them.
  std::vector<std::string> unknown_sources;
};

// What signs mail of `place`: the keys of its domain, or of the nearest one above that has some;
// of keys that rotate by themselves also those that nothing signs with now.
[[nodiscard]] Result<std::vector<doctor::DomainKey>> signing_keys(store::ReadTransaction& reader,
                                                                  const store::DomainPlace& place);

// As a check saw them. `is_whole`: it found out everything; else nobody knows of what it does not
// have whether it is missing.
[[nodiscard]] std::vector<DomainRecord> seen_records(
    const std::vector<doctor::WantedRecord>& records, bool is_whole);

// What is wanted of an empty zone, with what a check has seen: what a zone says already is in the
// records that were seen. A key or a proof that has come since is not checked, one that went is
// gone.
[[nodiscard]] std::vector<DomainRecord> records_now(const doctor::DomainWish& wish,
                                                    const std::vector<doctor::WantedRecord>& wanted,
                                                    const std::vector<DomainRecord>& seen);

}  // namespace todoku::operate
