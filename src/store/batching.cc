// SPDX-License-Identifier: Apache-2.0
#include "store/batching.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace todoku::store {

std::vector<Places> grouped_by_domain(std::span<const NewRecipient> recipients) {
  std::vector<Places> groups;
  Places rest;
  if (recipients.size() < kOwnBatchMin) {
    for (std::uint32_t i = 0; i < recipients.size(); ++i) rest.push_back(i);
    groups.push_back(std::move(rest));
    return groups;
  }
  std::unordered_map<std::string_view, Places> domains;
  for (std::uint32_t i = 0; i < recipients.size(); ++i) domains[recipients[i].domain].push_back(i);
  for (auto& [domain, places] : domains) {
    if (places.size() >= kOwnBatchMin && !domain.empty()) {
      groups.push_back(std::move(places));
    } else {
      rest.insert(rest.end(), places.begin(), places.end());
    }
  }
  // In the order given, whatever the hash table says, so that the same input makes the same rows.
  std::ranges::sort(groups, {}, [](const Places& group) { return group.front(); });
  std::ranges::sort(rest);
  groups.push_back(std::move(rest));
  return groups;
}

std::vector<std::span<const std::uint32_t>> cut_into_batches(std::span<const std::uint32_t> group) {
  const auto max = static_cast<std::size_t>(kBatchRecipientsMax);
  std::vector<std::span<const std::uint32_t>> parts;
  for (std::size_t left = (group.size() + max - 1) / max; left > 0; --left) {
    const auto part = group.first((group.size() + left - 1) / left);
    group = group.subspan(part.size());
    parts.push_back(part);
  }
  return parts;
}

std::string_view common_domain(std::span<const NewRecipient> recipients) {
  const bool one = std::ranges::all_of(recipients, [&](const NewRecipient& recipient) {
    return recipient.domain == recipients.front().domain;
  });
  return one && !recipients.empty() ? std::string_view(recipients.front().domain)
                                    : std::string_view();
}

}  // namespace todoku::store
