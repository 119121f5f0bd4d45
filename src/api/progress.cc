// SPDX-License-Identifier: Apache-2.0
#include "api/progress.h"

#include <utility>

#include "api/answers.h"
#include "api/approvals.h"
#include "api/steering_request.h"
#include "operate/rates.h"
#include "store/rate_holds.h"

namespace todoku::api {
namespace {

// Why it waits though nobody has paused it: as a whole, or at one receiver.
void holds_member(http::JsonWriter& json, const std::vector<store::RateState>& holds) {
  json.key("holds");
  json.begin_array();
  for (const store::RateState& hold : holds) {
    json.begin_object();
    if (hold.subject.scope == store::RateScope::delivery_at_receiver) {
      json.member("receiver", hold.subject.name);
    } else {
      json.null_member("receiver");
    }
    json.member("because", hold.because);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string_view state_word(const store::Delivery& delivery) {
  switch (delivery.course) {
    case store::Course::goes:
      break;
    case store::Course::paused:
      // What was in hand may have been the last of it.
      if (delivery.status == DeliveryStatus::sending) return "paused";
      break;
    case store::Course::stopped:
      return "stopping";
    case store::Course::ended:
      return "stopped";
  }
  return to_string(delivery.status);
}

void progress_members(http::JsonWriter& json, const Progress& progress) {
  const store::Delivery& delivery = progress.delivery;
  const store::DeliveryCounts& counts = delivery.counts;
  json.member("delivery_id", delivery.id);
  json.member("state", state_word(delivery));
  json.member("total", counts.total);
  json.member("pending", counts.total - counts.terminal() - counts.deferred);
  json.member("deferred", counts.deferred);
  json.member("delivered", counts.delivered);
  json.member("bounced", counts.bounced);
  json.member("dropped", counts.dropped);
  json.member("expired", counts.expired);
  json.member("cancelled", counts.cancelled);
  json.member("unknown", counts.unknown);
  date_or_null(json, "started", delivery.started);
  date_or_null(json, "expires", delivery.expires);
  date_or_null(json, "finished", delivery.finished);
  // Until then it goes to a few recipients at each receiver.
  date_or_null(json, "canary_until", progress.canary_until);
  holds_member(json, progress.holds);
  steering_members(json, progress.steering, progress.pause);
  too_slow_member(json, progress.too_slow);
  if (progress.approval) {
    json.member("approval", word_of(*progress.approval));
  } else {
    json.null_member("approval");
  }
}

Result<Progress> read_progress(store::ReadTransaction& reader, store::AccountKey account,
                               store::PublicId id, Milliseconds life, Instant now) {
  auto delivery = reader.delivery_head(account, id);
  if (!delivery) return fail(std::move(delivery.error()));
  const auto until = operate::canary_until(reader, *delivery, now);
  if (!until) return fail(until.error());
  Progress found{.delivery = std::move(*delivery), .canary_until = *until, .holds = {}};
  auto steering = reader.steering(found.delivery.key);
  if (!steering) return fail(std::move(steering.error()));
  found.steering = std::move(*steering);
  found.too_slow = store::pace_too_slow(found.delivery, found.steering.rules, life, now);
  if (found.delivery.type != DeliveryType::bulk) return found;
  const auto approval = reader.approval(found.delivery.key);
  if (!approval) return fail(approval.error());
  if (*approval) found.approval = (*approval)->state;
  if (found.delivery.status != DeliveryStatus::sending) return found;
  if (found.delivery.course == store::Course::goes) {
    found.pause = store::steered_pause(found.steering, now);
  }
  auto holds = store::rate_holds(reader, found.delivery.key, now);
  if (!holds) return fail(std::move(holds.error()));
  found.holds = std::move(*holds);
  return found;
}

}  // namespace todoku::api
