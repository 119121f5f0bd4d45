// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction (contract section 2.1).
#include <algorithm>
#include <iterator>
#include <utility>

#include "api/api.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/inline_parts.h"
#include "api/members.h"
#include "api/message_id.h"
#include "api/transaction_request.h"
#include "intake/fingerprint.h"
#include "intake/inline_parts.h"

namespace todoku::api {
namespace {

Task<http::Response> add_transaction(Api& api, Call& call) {
  auto key = key_of_request(call, store::KeyedRoute::transaction);
  if (!key) co_return std::move(key.error());
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kTransaction);
  intake::Problems problems;
  auto request = read_transaction(form.object(), api.intake().limits(), problems);
  api.warn_of_sender(call, request.content);
  std::ranges::move(form.attachments, std::back_inserter(request.content.attachments));
  const std::string of_parts = intake::inline_warning(request.content);
  intake::Repeatable repeatable;
  if (*key && problems.empty()) {
    const auto digests = co_await intake::digests_of(request.content.attachments);
    repeatable = {.key = **key, .fingerprint = intake::fingerprint_of(request, digests)};
  }
  const auto make = [&](intake::Repeatable its) {
    return api.intake().accept_transaction(call.account, std::move(request), std::move(problems),
                                           its);
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (made) add_warning(call, of_parts);
  auto response = made_response(call, made, 201, "delivery_id");
  if (made) tell_message_id(api, co_await delivery_made(api, call.account.key, *made), response);
  co_return response;
}

}  // namespace

void add_transaction_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction", kSend,
          {.body_max = api.form_octets_max()}, &add_transaction);
}

}  // namespace todoku::api
