// SPDX-License-Identifier: Apache-2.0
#include "sim/stored.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string_view>
#include <utility>

namespace todoku::sim {
namespace {

constexpr std::uint32_t kBatchSize = 500;
constexpr std::int64_t kMany = 100'000;

Result<std::vector<store::Delivery>> deliveries_of(store::ReadTransaction& transaction,
                                                   const store::Account& account) {
  std::vector<store::Delivery> all;
  store::DeliveryFilter filter;
  filter.account = account.key;
  std::optional<store::DeliveryPlace> from;
  do {
    const auto stretch =
        transaction.match_deliveries(filter, store::DeliveryOrder::newest_first, from, kMany);
    if (!stretch) return fail(stretch.error());
    for (const store::DeliveryMatch& match : stretch->matches) {
      auto delivery = transaction.delivery_head(match.key);
      if (!delivery) return fail(delivery.error());
      all.push_back(std::move(*delivery));
    }
    from = stretch->next;
  } while (from);
  return all;
}

Result<std::vector<store::Delivery>> all_deliveries(store::ReadTransaction& transaction,
                                                    const Accounts& accounts) {
  std::vector<store::Delivery> all;
  for (const store::Account& account : accounts) {
    auto some = deliveries_of(transaction, account);
    if (!some) return fail(some.error());
    std::ranges::move(*some, std::back_inserter(all));
  }
  return all;
}

Result<std::map<std::string, StoredRecipient>> recipients_of(store::ReadTransaction& transaction,
                                                             const store::Delivery& delivery) {
  std::map<std::string, StoredRecipient> found;
  for (std::uint32_t batch = 0; std::cmp_less(found.size(), delivery.counts.total); ++batch) {
    for (std::uint32_t seq = 0; seq < kBatchSize; ++seq) {
      const auto story = transaction.story({delivery.key, batch, seq});
      if (!story && story.error().kind == ErrorKind::not_found) break;
      if (!story) return fail(story.error());
      found[story->address] = {story->state, story->attempts.size()};
    }
    if (batch > kMany) return fail(ErrorKind::corrupt, "the store has fewer than it counts");
  }
  return found;
}

std::size_t mailing_of(const store::Delivery& delivery) {
  const std::string_view subject = delivery.content.subject;
  return std::strtoull(subject.substr(subject.rfind(' ') + 1).data(), nullptr, 10);
}

}  // namespace

Result<std::int64_t> count_unfinished(store::ReadTransaction& transaction,
                                      const Accounts& accounts) {
  const auto deliveries = all_deliveries(transaction, accounts);
  if (!deliveries) return fail(deliveries.error());
  return std::ranges::count_if(*deliveries, [](const store::Delivery& delivery) {
    return delivery.status != DeliveryStatus::sent && delivery.status != DeliveryStatus::failed;
  });
}

Result<std::vector<std::string>> settled_addresses(store::ReadTransaction& transaction,
                                                   const Accounts& accounts) {
  std::vector<std::string> settled;
  const auto deliveries = all_deliveries(transaction, accounts);
  if (!deliveries) return fail(deliveries.error());
  for (const store::Delivery& delivery : *deliveries) {
    const auto recipients = recipients_of(transaction, delivery);
    if (!recipients) return fail(recipients.error());
    for (const auto& [address, recipient] : *recipients) {
      if (is_terminal(recipient.state)) settled.push_back(address);
    }
  }
  return settled;
}

Result<std::map<std::size_t, StoredDelivery>> read_deliveries(store::ReadTransaction& transaction,
                                                              const Accounts& accounts) {
  std::map<std::size_t, StoredDelivery> stored;
  const auto deliveries = all_deliveries(transaction, accounts);
  if (!deliveries) return fail(deliveries.error());
  for (const store::Delivery& delivery : *deliveries) {
    auto recipients = recipients_of(transaction, delivery);
    if (!recipients) return fail(recipients.error());
    stored[mailing_of(delivery)] = {delivery.status, delivery.counts, std::move(*recipients)};
  }
  return stored;
}

}  // namespace todoku::sim
