// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction (contract section 2.1).
#include <utility>

#include "api/api.h"
#include "api/form.h"
#include "api/members.h"
#include "api/transaction_request.h"

namespace todoku::api {
namespace {

Task<http::Response> add_transaction(Api& api, Call& call) {
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kTransaction);
  intake::Problems problems;
  auto request = read_transaction(form.object(), api.intake().limits(), problems);
  api.warn_of_sender(call, request.content);
  request.content.attachments = std::move(form.attachments);
  const auto accepted = co_await api.intake().accept_transaction(call.account, std::move(request),
                                                                 std::move(problems));
  if (!accepted) co_return refused(accepted.error(), call.language);
  co_return id_response(201, "delivery_id", *accepted);
}

}  // namespace

void add_transaction_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction", kSend,
          {.body_max = api.form_octets_max()}, &add_transaction);
}

}  // namespace todoku::api
