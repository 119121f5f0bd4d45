// SPDX-License-Identifier: Apache-2.0
// Bulk deliveries: begin, update, commit (contract sections 2.5 to 2.8).
#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "api/api.h"
#include "api/approvals.h"
#include "api/bulk_request.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/inline_parts.h"
#include "api/members.h"
#include "api/preflight_answer.h"
#include "api/steering_request.h"
#include "api/update_request.h"
#include "base/date_time.h"
#include "intake/fingerprint.h"
#include "intake/inline_parts.h"

namespace todoku::api {
namespace {

http::Response id_or_refusal(const Call& call, const intake::Answer<void>& answer,
                             store::PublicId id) {
  if (!answer) return refused(answer.error(), call.language);
  return id_response(200, "delivery_id", id);
}

// When it starts (nullopt: now), and how it goes.
struct Commitment {
  std::optional<Instant> reservation;
  store::SteeringChange steering;
};

// `told`: what preflight has to say of it, as a header's value.
Task<intake::Answer<void>> commit_judged(Api& api, Call& call, store::PublicId id,
                                         Commitment commitment, intake::Repeatable repeatable,
                                         std::string& told) {
  auto judged = co_await preflight_commit(
      api, call, id, {.at = commitment.reservation, .steering = commitment.steering});
  told = std::move(judged.header);
  if (judged.refusal) co_return std::unexpected(std::move(*judged.refusal));
  co_return co_await api.intake().commit_bulk(call.account, call.asked_by(), id,
                                              commitment.reservation, repeatable,
                                              std::move(commitment.steering));
}

Task<http::Response> commit_once(Api& api, Call& call, std::optional<store::IdempotencyKey> key,
                                 store::PublicId id, Commitment commitment) {
  intake::Repeatable repeatable;
  if (key) {
    repeatable = {
        .key = *key,
        .fingerprint = intake::fingerprint_of(id, commitment.reservation, commitment.steering)};
  }
  std::string told;
  const auto make = [&](intake::Repeatable its) {
    return commit_judged(api, call, id, commitment, its, told);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (made) co_await warn_of_pace(api, call, id);
  if (made) co_await warn_of_approval(api, call, id);
  auto response = done_response(call, made, id);
  if (!told.empty()) response.headers.set(kPreflightHeader, told);
  co_return response;
}

Task<http::Response> begin(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::bulk_begin);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kBegin);
  intake::Problems problems;
  auto request = read_bulk(form, api.intake().limits(), members::kBegin, problems);
  request.steering = read_steering(Fields(form.object(), {}, problems));
  api.warn_of_sender(call, request.content);
  const std::string of_parts = intake::inline_warning(request.content);
  intake::Repeatable repeatable;
  if (*key && problems.empty()) {
    const auto digests = co_await intake::digests_of(request.content.attachments);
    repeatable = {.key = **key, .fingerprint = intake::fingerprint_of(request, digests)};
  }
  const auto make = [&](intake::Repeatable its) {
    return api.intake().begin_bulk(call.account, std::move(request), std::move(problems), its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (made) add_warning(call, of_parts);
  co_return made_response(call, made, 201, "delivery_id");
}

Task<http::Response> update(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::bulk_update);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, true, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kUpdate);
  intake::Problems problems;
  auto request = read_update(form, api.intake().limits(), problems);
  intake::Repeatable repeatable;
  if (*key && problems.empty()) {
    std::vector<Sha256> digests;
    if (request.inline_parts) digests = co_await intake::digests_of(*request.inline_parts);
    repeatable = {.key = **key, .fingerprint = intake::fingerprint_of(*id, request, digests)};
  }
  // What the stored html_part refers to is its content.
  const bool may_unfit =
      request.html_part || (request.inline_parts && has(call.scopes, store::Scope::content));
  const bool says_how = !request.steering.says_nothing();
  const auto make = [&](intake::Repeatable its) {
    return api.intake().update_bulk(call.account, *id, std::move(request), std::move(problems),
                                    its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (made && may_unfit) co_await warn_of_changed_parts(api, call, *id);
  if (made && says_how) co_await warn_of_pace(api, call, *id);
  auto response = done_response(call, made, *id);
  if (made && made->answer > 0) response.headers.set(kFoldedHeader, std::to_string(made->answer));
  co_return response;
}

Task<http::Response> commit(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::bulk_commit);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, true, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kCommit);
  intake::Problems problems;
  const Fields fields(form.object(), {}, problems);
  const auto given = fields.text("reservation_time");
  Commitment commitment{.reservation = {}, .steering = read_steering(fields)};
  std::optional<Instant>& reservation = commitment.reservation;
  if (given && !given->empty()) {
    reservation = parse_date_time(*given);
    if (!reservation) problems.add({"reservation_time"}, intake::texts::invalid_date(*given));
  } else if (problems.empty()) {
    problems.add({"reservation_time"}, intake::texts::required());
  }
  refuse_lost_members(form.object(), members::kCommit, problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  co_return co_await commit_once(api, call, *key, *id, std::move(commitment));
}

// The body is whatever the client sends, usually nothing.
Task<http::Response> commit_immediately(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::bulk_commit_immediate);
  if (!key) co_return std::move(key.error());
  co_return co_await commit_once(api, call, *key, *id, {});
}

Task<http::Response> cancel(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto done = co_await api.intake().cancel(call.account, *id);
  co_return id_or_refusal(call, done, *id);
}

Task<http::Response> remove_delivery(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  const auto done = co_await api.intake().remove(call.account, *id);
  co_return id_or_refusal(call, done, *id);
}

}  // namespace

void add_bulk_routes(Api& api, http::Router& router) {
  using enum http::Method;
  const http::RouteOptions form{.body_max = api.form_octets_max()};
  api.add(router, post, "/deliveries/bulk/begin", kSend, form, &begin);
  api.add(router, put, "/deliveries/bulk/update/{delivery_id}", kSend, form, &update);
  api.add(router, patch, "/deliveries/bulk/commit/{delivery_id}", kSend, &commit);
  api.add(router, patch, "/deliveries/bulk/commit/{delivery_id}/immediate", kSend,
          &commit_immediately);
  api.add(router, patch, "/deliveries/{delivery_id}/cancel", kSend, &cancel);
  // One client in the wild cancels by this path (contract section 2.8).
  api.add(router, patch, "/deliveries/bulk/commit/{delivery_id}/cancel", kSend, &cancel);
  api.add(router, delete_, "/deliveries/{delivery_id}", kSend, &remove_delivery);
}

}  // namespace todoku::api
