// SPDX-License-Identifier: Apache-2.0
#include "store/rate_holds.h"

#include <vector>

#include <fmt/format.h>

#include "mail/address.h"

namespace todoku::store {
namespace {

constexpr std::int64_t kSubjectsMax = 1'000;  // receivers are those that rules name

// Those that have a state.
Result<std::vector<RateSubject>> concerned(ReadTransaction& reader, const Delivery& delivery) {
  std::vector<RateSubject> all;
  for (const bool own : {false, true}) {
    auto found = reader.rate_subjects({.account = delivery.account,
                                       .delivery = own ? std::optional(delivery.key) : std::nullopt,
                                       .from = std::nullopt,
                                       .limit = kSubjectsMax});
    if (!found) return fail(found.error());
    all.insert(all.end(), std::make_move_iterator(found->begin()),
               std::make_move_iterator(found->end()));
  }
  const std::string sender = sender_domain_of(delivery);
  std::erase_if(all, [&](const RateSubject& subject) {
    return subject.scope == RateScope::sender_domain && subject.name != sender;
  });
  return all;
}

}  // namespace

std::string words_of(const RateSubject& subject, PublicId delivery) {
  switch (subject.scope) {
    case RateScope::account:
      return "account";
    case RateScope::sender_domain:
      return "sender domain " + subject.name;
    case RateScope::receiver:
      return "receiver " + subject.name;
    case RateScope::delivery:
      return fmt::format("delivery {}", delivery);
    case RateScope::delivery_at_receiver:
      return fmt::format("delivery {} at {}", delivery, subject.name);
  }
  return {};
}

std::string sender_domain_of(const Delivery& delivery) {
  const auto from = parse_address(delivery.content.from.address);
  return from ? from->domain : std::string();
}

Result<std::vector<RateState>> rate_holds(ReadTransaction& reader, DeliveryKey key, Instant now) {
  const auto delivery = reader.delivery_head(key);
  if (!delivery) return fail(delivery.error());
  const RateHour hour = rate_hour(now);
  const auto subjects = concerned(reader, *delivery);
  if (!subjects) return fail(subjects.error());
  auto found = reader.rates(*subjects, hour, hour);
  if (!found) return fail(found.error());
  std::vector<RateState> holds;
  for (RateFound& each : *found) {
    // Of the account's receivers those are told that the delivery is held at.
    if (each.subject.scope == RateScope::receiver) continue;
    if (each.state && each.state->level == kRatePaused) holds.push_back(std::move(*each.state));
  }
  return holds;
}

Result<bool> end_rate_holds(WriteTransaction& writer, const Delivery& delivery, Instant now) {
  const RateHour hour = rate_hour(now);
  const auto subjects = concerned(writer.read(), delivery);
  if (!subjects) return fail(subjects.error());
  const auto found = writer.read().rates(*subjects, hour, hour);
  if (!found) return fail(found.error());
  bool any = false;
  for (const RateFound& each : *found) {
    if (!each.state || each.state->level == 0) continue;
    const bool was_held = each.state->level == kRatePaused;
    auto put = writer.put_rate_state({.subject = each.subject,
                                      .level = 0,
                                      .since = now,
                                      .because = {},
                                      .baseline_hour = hour,
                                      .baseline = each.this_hour});
    if (!put) return fail(std::move(put.error()));
    if (!was_held) continue;
    any = true;
    writer.tell_of_rate(EventKind::protection_resumed, delivery.account,
                        words_of(each.subject, delivery.id), each.state->because);
  }
  return any;
}

}  // namespace todoku::store
