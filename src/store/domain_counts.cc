// SPDX-License-Identifier: Apache-2.0
#include "store/domain_counts.h"

#include <algorithm>

#include "store/store.h"

namespace todoku::store {

Result<bool> DomainHistogram::step(ReadTransaction& transaction) {
  constexpr std::int64_t kPage = 2'000;
  auto page = transaction.domain_counts(key_, place_, kPage);
  if (!page) return fail(std::move(page.error()));
  for (DomainCount& count : page->counts) {
    recipients_ += count.recipients;
    const bool apart =
        !count.domain.empty() && (counts_.size() < kDomainsMax || counts_.contains(count.domain));
    if (apart) {
      counts_[std::move(count.domain)] += count.recipients;
    } else {
      others_ += count.recipients;
    }
  }
  place_ = std::move(page->next);
  if (place_) return false;
  const auto head = transaction.delivery_head(key_);
  if (!head) return fail(head.error());
  total_ = head->counts.total;
  done_ = true;
  return true;
}

std::vector<DomainCount> DomainHistogram::largest(std::size_t most) const {
  return largest_and_some(most, 0);
}

std::vector<DomainCount> DomainHistogram::largest_and_some(std::size_t most,
                                                           std::size_t sample) const {
  std::vector<DomainCount> counts;
  counts.reserve(counts_.size());
  for (const auto& [domain, recipients] : counts_) counts.push_back({domain, recipients});
  const std::size_t kept = std::min(most, counts.size());
  const std::size_t rest = counts.size() - kept;
  const std::size_t sorted = sample > 0 ? counts.size() : kept;
  std::ranges::partial_sort(counts, counts.begin() + static_cast<std::ptrdiff_t>(sorted),
                            [](const DomainCount& a, const DomainCount& b) {
                              return a.recipients != b.recipients ? a.recipients > b.recipients
                                                                  : a.domain < b.domain;
                            });
  const std::size_t wanted = std::min(sample, rest);
  for (std::size_t i = 0; i < wanted; ++i) {
    // Never before i: none is overwritten that is yet to be taken.
    const std::size_t place = wanted == 1 ? 0 : i * (rest - 1) / (wanted - 1);
    if (place != i) counts[kept + i] = std::move(counts[kept + place]);
  }
  counts.erase(counts.begin() + static_cast<std::ptrdiff_t>(kept + wanted), counts.end());
  return counts;
}

std::string_view domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? std::string_view() : address.substr(at + 1);
}

std::vector<DomainTally> tally_domains(std::span<const NewRecipient> recipients) {
  std::unordered_map<std::string_view, std::int64_t> tallied;
  for (const NewRecipient& recipient : recipients) ++tallied[recipient.domain];
  std::vector<DomainTally> domains;
  domains.reserve(tallied.size());
  for (const auto& [domain, count] : tallied) domains.push_back({domain, count});
  std::ranges::sort(domains, {}, &DomainTally::domain);
  return domains;
}

}  // namespace todoku::store
