// SPDX-License-Identifier: Apache-2.0
// What a page of events adds to the counts by tag (store::RateScope::tag): what receivers said of
// mail of any type, by the tags of its delivery and by day. Nothing follows from these. Pure, but
// for the names that are counted apart already, which the store knows.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "events/protection/tally.h"
#include "store/rates.h"
#include "store/store.h"

namespace todoku::events::protection {

// The tags of an account that are counted apart on a day, at most store::kTagsCountedMax; all
// others that day are one, of the empty name. Who begins anew learns from the store which they are.
class TagNames {
 public:
  using Day = std::pair<store::AccountKey, store::RateHour>;
  // Of so many accounts and days it knows the names; then it asks the store again.
  static constexpr std::size_t kDaysMax = 1'000;

  // Asks for the names of a day, unless it knows them.
  [[nodiscard]] Result<void> learn(store::ReadTransaction& reader, const Day& day);
  // The name that a tag counts by. After learn().
  [[nodiscard]] std::string name_of(const Day& day, const std::string& tag);
  void forget() { names_.clear(); }

 private:
  std::map<Day, std::set<std::string>> names_;
};

class TagTally {
 public:
  explicit TagTally(const Receivers& receivers) : receivers_(receivers) {}

  // An event of a delivery without tags adds nothing, nor does one that Tally would not count.
  void add(const store::EventRecord& event);
  [[nodiscard]] bool empty() const { return counts_.empty(); }
  // By the names that the tags count by.
  [[nodiscard]] Result<std::vector<store::RateIncrement>> increments(store::ReadTransaction& reader,
                                                                     TagNames& names) const;

 private:
  const Receivers& receivers_;
  std::map<TagNames::Day, std::map<std::string, OutcomeCounts>> counts_;
};

}  // namespace todoku::events::protection
