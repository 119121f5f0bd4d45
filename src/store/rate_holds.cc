// SPDX-License-Identifier: Apache-2.0
#include "store/rate_holds.h"

#include <algorithm>
#include <utility>
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

// What else has counted what the delivery was held for: it may be below its minimum yet, and would
// hold for the same later.
std::vector<RateSubject> counted_alike(const Delivery& delivery, const RateSubject& held) {
  std::vector<RateSubject> alike{
      {.account = delivery.account, .scope = RateScope::account},
      {.account = delivery.account, .scope = RateScope::delivery, .delivery = delivery.key}};
  const std::string sender = sender_domain_of(delivery);
  if (!sender.empty()) {
    alike.push_back(
        {.account = delivery.account, .scope = RateScope::sender_domain, .name = sender});
  }
  if (held.scope == RateScope::delivery_at_receiver) {
    alike.push_back({.account = delivery.account, .scope = RateScope::receiver, .name = held.name});
  }
  return alike;
}

// What counts of these begins behind what has been counted.
Result<void> begin_anew(WriteTransaction& writer, const std::vector<RateSubject>& subjects,
                        Instant now) {
  const RateHour hour = rate_hour(now);
  const auto found = writer.read().rates(subjects, hour, hour);
  if (!found) return fail(found.error());
  for (const RateFound& each : *found) {
    auto put = writer.put_rate_state({.subject = each.subject,
                                      .level = 0,
                                      .since = now,
                                      .because = {},
                                      .baseline_hour = hour,
                                      .baseline = each.this_hour});
    if (!put) return put;
  }
  return {};
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
    case RateScope::tag:
      return "tag " + subject.name;
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
  std::vector<RateSubject> anew;
  for (const RateFound& each : *found) {
    if (!each.state || each.state->level == 0) continue;
    anew.push_back(each.subject);
    if (each.state->level != kRatePaused) continue;
    any = true;
    writer.tell_of_rate(EventKind::protection_resumed, delivery.account,
                        words_of(each.subject, delivery.id), each.state->because);
    const std::vector<RateSubject> alike = counted_alike(delivery, each.subject);
    anew.insert(anew.end(), alike.begin(), alike.end());
  }
  std::ranges::sort(anew);
  anew.erase(std::ranges::unique(anew).begin(), anew.end());
  auto begun = begin_anew(writer, anew, now);
  if (!begun) return fail(std::move(begun.error()));
  return any;
}

}  // namespace todoku::store
