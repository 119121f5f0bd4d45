// SPDX-License-Identifier: Apache-2.0
// What comes to the histograms of lists (store/domain_counts.h), as columns: of one call or of
// several imports at once. Whoever counts in a section holds it: appends and changes its row,
// imports their job's.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string_view>
#include <utility>

#include "store/domain_counts.h"
#include "store/postgres/link.h"
#include "store/postgres/wire.h"

namespace todoku::store::postgres {

class DomainColumns {
 public:
  // The names are read until the statements are added.
  void add(std::int64_t section, std::span<const DomainTally> tallies);
  // Two statements for a Link or a Session, if there is anything to count. Rows are changed in the
  // order of their keys.
  template <class Flights>
  void add_statements(Flights& flights) const {
    if (tallies_.empty()) return;
    Column section(kInt8), domain(kText), recipients(kInt8);
    for (const auto& [key, count] : tallies_) {
      section.add(key.first);
      domain.add(key.second);
      recipients.add(count);
    }
    flights.add(kTakePlaces, Params() << section << domain << kDomainsCountedMax)
        .add(kCount, Params() << section << domain << recipients << kDomainsCountedMax);
  }
  // One recipient less of a domain, or of the others if it is one of them.
  template <class Flights>
  static void add_discount(Flights& flights, std::int64_t section, std::string_view domain) {
    flights.add(kDiscount, Params() << section << domain)
        .add(kDropEmpty, Params() << section << domain);
  }

 private:
  static const Sql kTakePlaces;
  static const Sql kCount;
  static const Sql kDiscount;
  static const Sql kDropEmpty;

  std::map<std::pair<std::int64_t, std::string_view>, std::int64_t> tallies_;
};

}  // namespace todoku::store::postgres
