// SPDX-License-Identifier: Apache-2.0
// Verbs of a delivery that goes out: pause, resume, stop; and how far it is. Not in the contract,
// whose statuses and answers stay as they are: a delivery that is paused is SENDING there, one that
// was stopped SENT.
#include "api/api.h"
#include "api/progress.h"
#include "http/json.h"

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

Task<http::Response> progress(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto found =
      co_await api.store().read([account = call.account.key, id, life = api.options().bulk_life,
                                 now = api.store().clock().now()](store::ReadTransaction& reader) {
        return read_progress(reader, account, *id, life, now);
      });
  if (!found) co_return refused(intake::refusal_of(found.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  progress_members(json, *found);
  json.end_object();
  co_return http::Response::json(200, json.take());
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
