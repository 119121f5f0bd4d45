// SPDX-License-Identifier: Apache-2.0
#include "events/protection/tag_tally.h"

#include <utility>

namespace todoku::events::protection {

Result<void> TagNames::learn(store::ReadTransaction& reader, const Day& day) {
  if (names_.contains(day)) return {};
  const auto known = reader.rate_subjects({.account = day.first,
                                           .delivery = std::nullopt,
                                           .from = day.second,
                                           .until = day.second + 1,
                                           .limit = store::kTagsCountedMax + 1,
                                           .tags = true});
  if (!known) return fail(known.error());
  if (names_.size() >= kDaysMax) names_.clear();
  std::set<std::string>& names = names_[day];
  for (const store::RateSubject& subject : *known) {
    if (!subject.name.empty()) names.insert(subject.name);
  }
  return {};
}

std::string TagNames::name_of(const Day& day, const std::string& tag) {
  std::set<std::string>& names = names_[day];
  if (names.contains(tag)) return tag;
  if (std::ssize(names) >= store::kTagsCountedMax) return {};
  names.insert(tag);
  return tag;
}

void TagTally::add(const store::EventRecord& event) {
  const std::vector<std::string>& tags = event.delivery->labels.tags;
  if (tags.empty()) return;
  const auto receiver = whose_word(event, receivers_);
  if (!receiver) return;
  const OutcomeCounts counts = counts_of(event, receiver->reports_complaints);
  if (counts == OutcomeCounts{}) return;
  auto& of_day = counts_[{event.account, store::tag_day(event.entry.at)}];
  // A tag that is given twice is one.
  for (const std::string& tag : std::set<std::string>(tags.begin(), tags.end())) {
    of_day[tag] += counts;
  }
}

Result<std::vector<store::RateIncrement>> TagTally::increments(store::ReadTransaction& reader,
                                                               TagNames& names) const {
  std::vector<store::RateIncrement> increments;
  for (const auto& [day, of_day] : counts_) {
    if (auto learnt = names.learn(reader, day); !learnt) return fail(std::move(learnt.error()));
    std::map<std::string, OutcomeCounts> named;
    for (const auto& [tag, counts] : of_day) named[names.name_of(day, tag)] += counts;
    for (const auto& [name, counts] : named) {
      increments.push_back(
          {.subject = {.account = day.first, .scope = store::RateScope::tag, .name = name},
           .hour = day.second,
           .counts = counts});
    }
  }
  return increments;
}

}  // namespace todoku::events::protection
