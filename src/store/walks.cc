// SPDX-License-Identifier: Apache-2.0
#include "store/walks.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace todoku::store {
namespace {

// For one list: about a second of a reader, in slices of some milliseconds.
constexpr std::int64_t kEffortMax = 500'000;
constexpr std::size_t kHeadsPerStep = 250;

bool comes_before(const DeliveryMatch& a, const DeliveryMatch& b,
                  const std::vector<DeliverySort>& sorts) {
  const Instant a_started = a.started.value_or(Instant{});
  const Instant b_started = b.started.value_or(Instant{});
  for (const DeliverySort sort : sorts) {
    switch (sort) {
      case DeliverySort::newest_first:
        if (a.created != b.created) return a.created > b.created;
        return a.key > b.key;
      case DeliverySort::delivery_time_ascending:
        if (a_started != b_started) return a_started < b_started;
        break;
      case DeliverySort::delivery_time_descending:
        if (a_started != b_started) return a_started > b_started;
        break;
      case DeliverySort::updated_time_ascending:
        if (a.updated != b.updated) return a.updated < b.updated;
        break;
      case DeliverySort::updated_time_descending:
        if (a.updated != b.updated) return a.updated > b.updated;
        break;
    }
  }
  const bool ascending = sorts.front() == DeliverySort::delivery_time_ascending ||
                         sorts.front() == DeliverySort::updated_time_ascending;
  return ascending ? a.key < b.key : a.key > b.key;
}

}  // namespace

DeliveryList::DeliveryList(DeliveryFilter filter) : filter_(std::move(filter)) {
  // A span of time is gone through by its index, whatever else the account has sent.
  const bool by_time = filter_.delivery_start || filter_.delivery_end;
  if (filter_.sort.empty()) {
    order_ = by_time ? DeliveryOrder::start_descending : DeliveryOrder::newest_first;
    return;
  }
  switch (filter_.sort.front()) {
    case DeliverySort::newest_first:
      break;
    case DeliverySort::delivery_time_ascending:
      order_ = DeliveryOrder::start_ascending;
      sorts_ = filter_.sort.size() > 1;
      break;
    case DeliverySort::delivery_time_descending:
      order_ = DeliveryOrder::start_descending;
      sorts_ = filter_.sort.size() > 1;
      break;
    case DeliverySort::updated_time_ascending:
    case DeliverySort::updated_time_descending:
      order_ = by_time ? DeliveryOrder::start_descending : DeliveryOrder::newest_first;
      sorts_ = true;
      break;
  }
}

Result<bool> DeliveryList::step(ReadTransaction& transaction) {
  if (!matched_) {
    auto done = match(transaction);
    if (!done) return fail(std::move(done.error()));
    return false;
  }
  auto done = read_page(transaction);
  if (!done) return fail(std::move(done.error()));
  return matches_.empty();
}

Result<void> DeliveryList::match(ReadTransaction& transaction) {
  const std::int64_t page_end = std::max<std::int64_t>(filter_.offset + filter_.limit, 0);
  const std::int64_t wanted =
      sorts_ ? kEffortMax : page_end - static_cast<std::int64_t>(matches_.size());
  if (wanted <= 0) {
    matched_ = true;
    return {};
  }
  auto stretch = transaction.match_deliveries(filter_, order_, place_, wanted);
  if (!stretch) return fail(std::move(stretch.error()));
  matches_.insert(matches_.end(), stretch->matches.begin(), stretch->matches.end());
  place_ = stretch->next;
  effort_ += stretch->effort;
  matched_ = !place_ || (!sorts_ && static_cast<std::int64_t>(matches_.size()) >= page_end);
  if (!matched_ && effort_ > kEffortMax) {
    return fail(ErrorKind::limit_exceeded,
                "there are too many deliveries to look through; narrow the list by "
                "delivery_start and delivery_end, by status or by type");
  }
  if (matched_) sort_matches();
  return {};
}

// Leaves the matches of the page, the first of them last.
void DeliveryList::sort_matches() {
  if (sorts_) {
    std::ranges::sort(matches_, [&](const DeliveryMatch& a, const DeliveryMatch& b) {
      return comes_before(a, b, filter_.sort);
    });
  }
  const auto end =
      static_cast<std::size_t>(std::max<std::int64_t>(filter_.offset + filter_.limit, 0));
  if (matches_.size() > end) matches_.resize(end);
  const auto skipped = static_cast<std::size_t>(std::max<std::int64_t>(filter_.offset, 0));
  matches_.erase(matches_.begin(), matches_.begin() + static_cast<std::ptrdiff_t>(
                                                          std::min(skipped, matches_.size())));
  std::ranges::reverse(matches_);
}

Result<void> DeliveryList::read_page(ReadTransaction& transaction) {
  std::vector<DeliveryKey> keys;
  while (keys.size() < kHeadsPerStep && !matches_.empty()) {
    keys.push_back(matches_.back().key);
    matches_.pop_back();
  }
  auto heads = transaction.delivery_heads(keys);
  if (!heads) return fail(std::move(heads.error()));
  std::ranges::move(*heads, std::back_inserter(deliveries_));
  return {};
}

Result<bool> StorySearch::step(ReadTransaction& transaction) {
  const std::int64_t left = limit_ - static_cast<std::int64_t>(stories_.size());
  if (left <= 0) return true;
  auto page = mark_ ? transaction.marked_stories(*mark_, account_, left, place_)
                    : transaction.stories(address_, account_, left, place_);
  if (!page) return fail(std::move(page.error()));
  for (Story& story : page->stories) stories_.push_back(std::move(story));
  place_ = page->next;
  return !place_ || static_cast<std::int64_t>(stories_.size()) >= limit_;
}

// ---- DKIM keys ---------------------------------------------------------------------------------

Result<bool> DkimList::step(ReadTransaction& transaction) {
  constexpr std::int64_t kPage = 1'000;
  const DkimPlace after =
      keys_.empty() ? DkimPlace{}
                    : DkimPlace{keys_.back().account, keys_.back().domain, keys_.back().selector};
  auto page = transaction.dkim_keys(after, kPage);
  if (!page) return fail(std::move(page.error()));
  const bool is_last = static_cast<std::int64_t>(page->size()) < kPage;
  keys_.insert(keys_.end(), std::make_move_iterator(page->begin()),
               std::make_move_iterator(page->end()));
  return is_last;
}

Result<bool> AccountKinds::step(ReadTransaction& transaction) {
  constexpr std::int64_t kPage = 1'000;
  const auto page = transaction.accounts(last_, kPage);
  if (!page) return fail(page.error());
  for (const Account& account : *page) {
    if (account.sandbox) {
      sandboxes_.insert(account.key);
    } else {
      ++others_;
    }
    last_ = account.key;
  }
  return static_cast<std::int64_t>(page->size()) < kPage;
}

Result<bool> ProvenDomains::step(ReadTransaction& transaction) {
  constexpr std::int64_t kPage = 1'000;
  const DomainPlace after = domains_.empty()
                                ? DomainPlace{}
                                : DomainPlace{domains_.back().account, domains_.back().domain};
  auto page = transaction.proven_domains(after, kPage);
  if (!page) return fail(std::move(page.error()));
  const bool is_last = static_cast<std::int64_t>(page->size()) < kPage;
  domains_.insert(domains_.end(), std::make_move_iterator(page->begin()),
                  std::make_move_iterator(page->end()));
  return is_last;
}

}  // namespace todoku::store
