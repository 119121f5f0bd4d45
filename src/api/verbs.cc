// SPDX-License-Identifier: Apache-2.0
// Verbs of a delivery that goes out: pause, resume, stop; and how far it is. Not in the contract,
// whose statuses and answers stay as they are: a delivery that is paused is SENDING there, one that
// was stopped SENT.
#include <string_view>
#include <vector>

#include "api/api.h"
#include "api/steering_request.h"
#include "http/json.h"
#include "operate/rates.h"
#include "store/rate_holds.h"

namespace todoku::api {
namespace {

Task<http::Response> steer(Api& api, Call& call, store::Course course) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto steered = co_await api.intake().steer(call.account, *id, course);
  if (!steered) co_return refused(steered.error(), call.language);
  co_return id_response(200, "delivery_id", *id);
}

Task<http::Response> pause(Api& api, Call& call) {
  return steer(api, call, store::Course::paused);
}
Task<http::Response> resume(Api& api, Call& call) {
  return steer(api, call, store::Course::goes);
}
Task<http::Response> stop(Api& api, Call& call) {
  return steer(api, call, store::Course::stopped);
}

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

struct Progress {
  store::Delivery delivery;
  std::optional<Instant> canary_until;
  std::vector<store::RateState> holds;
  store::Steering steering;
  std::optional<store::SteeredPause> pause;
  std::optional<store::PaceTooSlow> too_slow;
};

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

std::string progress_json(const Progress& progress) {
  const store::Delivery& delivery = progress.delivery;
  const store::DeliveryCounts& counts = delivery.counts;
  http::JsonWriter json;
  json.begin_object();
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
  json.end_object();
  return json.take();
}

Task<http::Response> progress(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto progress = co_await api.store().read(
      [account = call.account.key, id, life = api.options().bulk_life,
       now = api.store().clock().now()](store::ReadTransaction& reader) -> Result<Progress> {
        auto delivery = reader.delivery_head(account, *id);
        if (!delivery) return fail(std::move(delivery.error()));
        const auto until = operate::canary_until(reader, *delivery, now);
        if (!until) return fail(until.error());
        Progress found{.delivery = std::move(*delivery), .canary_until = *until, .holds = {}};
        auto steering = reader.steering(found.delivery.key);
        if (!steering) return fail(std::move(steering.error()));
        found.steering = std::move(*steering);
        found.too_slow = store::pace_too_slow(found.delivery, found.steering.rules, life, now);
        const bool may_be_held = found.delivery.type == DeliveryType::bulk &&
                                 found.delivery.status == DeliveryStatus::sending;
        if (!may_be_held) return found;
        if (found.delivery.course == store::Course::goes) {
          found.pause = store::steered_pause(found.steering, now);
        }
        auto holds = store::rate_holds(reader, found.delivery.key, now);
        if (!holds) return fail(std::move(holds.error()));
        found.holds = std::move(*holds);
        return found;
      });
  if (!progress) co_return refused(intake::refusal_of(progress.error()), call.language);
  co_return http::Response::json(200, progress_json(*progress));
}

}  // namespace

void add_verb_routes(Api& api, http::Router& router) {
  // PATCH as the contract's own verbs are called; POST as everybody else's.
  for (const http::Method method : {http::Method::post, http::Method::patch}) {
    api.add(router, method, "/deliveries/{delivery_id}/pause", kSend, &pause);
    api.add(router, method, "/deliveries/{delivery_id}/resume", kSend, &resume);
    api.add(router, method, "/deliveries/{delivery_id}/stop", kSend, &stop);
  }
  api.add(router, http::Method::get, "/deliveries/{delivery_id}/progress", kRead, &progress);
}

}  // namespace todoku::api
