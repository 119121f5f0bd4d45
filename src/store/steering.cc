// SPDX-License-Identifier: Apache-2.0
#include "store/steering.h"

#include <algorithm>

#include <fmt/format.h>

#include "store/store.h"

namespace todoku::store {

Result<void> may_be_told(const Delivery& delivery) {
  if (delivery.type != DeliveryType::bulk) {
    return fail(ErrorKind::conflict, "a pace and quiet hours are for bulk deliveries only");
  }
  const bool is_stopped = delivery.course == Course::stopped || delivery.course == Course::ended;
  const bool is_over =
      delivery.status == DeliveryStatus::sent || delivery.status == DeliveryStatus::failed;
  if (!is_stopped && !is_over) return {};
  return fail(ErrorKind::conflict,
              fmt::format("the delivery is in status {}, it is over", to_string(delivery.status)));
}

Result<bool> change_steering(WriteTransaction& writer, DeliveryKey key,
                             const SteeringChange& change, const AskedBy& by) {
  const std::vector keys{key};
  auto locked = writer.lock_deliveries(keys);
  if (!locked) return fail(std::move(locked.error()));
  const auto delivery = writer.read().delivery_head(key);
  if (!delivery) return fail(delivery.error());
  auto may = may_be_told(*delivery);
  if (!may) return fail(std::move(may.error()));
  const auto before = writer.read().steering(key);
  if (!before) return fail(before.error());
  SteeringRules rules = before->rules;
  if (change.pace) rules.pace = *change.pace;
  if (change.quiet) rules.quiet = *change.quiet;
  if (rules == before->rules) return false;
  auto put = writer.put_steering(key, rules);
  if (put) put = writer.void_approval(key, by);
  if (!put) return fail(std::move(put.error()));
  return true;
}

std::optional<PaceTooSlow> pace_too_slow(const Delivery& delivery, const SteeringRules& rules,
                                         Milliseconds life, Instant now) {
  if (!rules.pace || !may_be_told(delivery)) return std::nullopt;
  const bool is_going = delivery.expires.has_value();
  const Instant begins = is_going ? now : std::max(now, delivery.reservation.value_or(now));
  const Instant ends = is_going ? *delivery.expires : begins + life;
  const std::int64_t left = delivery.counts.total - delivery.counts.terminal();
  const std::int64_t late = left_over(*rules.pace, rules.quiet, left, begins, ends);
  if (late == 0) return std::nullopt;
  return PaceTooSlow{.late = late, .ends = ends};
}

std::optional<SteeredPause> steered_pause(const Steering& steering, Instant now) {
  if (steering.rules.quiet) {
    const auto until = quiet_until(*steering.rules.quiet, now);
    if (until) return SteeredPause{SteeredWait::quiet_hours, *until};
  }
  if (!steering.rules.pace) return std::nullopt;
  // Its mails go in blocks: nothing is begun before the next one is there.
  const Milliseconds left = take_of(*steering.rules.pace, steering.pace_used_to, now, 0).next_in;
  if (left <= Milliseconds(0)) return std::nullopt;
  return SteeredPause{SteeredWait::pace, now + left};
}

}  // namespace todoku::store
