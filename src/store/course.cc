// SPDX-License-Identifier: Apache-2.0
#include "store/course.h"

#include <fmt/format.h>

#include "store/deliveries.h"

namespace todoku::store {

Result<bool> may_steer(const Delivery& delivery, Course course) {
  const bool is_stopped = delivery.course == Course::stopped || delivery.course == Course::ended;
  if (is_stopped && course == Course::stopped) return false;
  if (delivery.status != DeliveryStatus::sending) {
    return fail(ErrorKind::conflict, fmt::format("the delivery is in status {}, not sending",
                                                 to_string(delivery.status)));
  }
  const bool is_urgent =
      delivery.type != DeliveryType::bulk && delivery.traffic == TrafficClass::transactional;
  if (is_urgent && course != Course::stopped) {
    return fail(ErrorKind::conflict, "a transaction can be stopped, but not paused");
  }
  return delivery.course != course;
}

EventKind event_kind(Course course) {
  switch (course) {
    case Course::goes:
      return EventKind::delivery_resumed;
    case Course::paused:
      return EventKind::delivery_paused;
    case Course::stopped:
      return EventKind::delivery_stopped;
    case Course::ended:
      return EventKind::delivery_finished;
  }
  return EventKind::delivery_finished;
}

RecipientState state_in(Course course, RecipientState stored, bool in_hand) {
  const bool is_over = course == Course::stopped && !in_hand && !is_terminal(stored);
  return is_over ? RecipientState::cancelled : stored;
}

}  // namespace todoku::store
