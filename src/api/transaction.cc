// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction (contract section 2.1).
#include <utility>

#include <boost/json/array.hpp>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/members.h"
#include "api/transaction_request.h"

namespace todoku::api {
namespace {

// One address. A list with a single entry is what one client sends and means the same.
std::string read_to(const Fields& fields, const boost::json::object& object) {
  const boost::json::value* to = object.if_contains("to");
  if (to == nullptr || !to->is_array()) return fields.text("to").value_or("");
  if (to->get_array().size() == 1) return std::move(fields.texts("to", 1).front());
  fields.wrong_type("to", "one e-mail address as a string", "1件のメールアドレス (文字列)");
  return {};
}

Task<http::Response> add_transaction(Api& api, Call& call) {
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kTransaction);
  intake::Problems problems;
  auto request = read_transaction(form.object(), api.intake().limits(), problems);
  request.content.attachments = std::move(form.attachments);
  const auto accepted = co_await api.intake().accept_transaction(call.account, std::move(request),
                                                                 std::move(problems));
  if (!accepted) co_return refused(accepted.error(), call.language);
  co_return id_response(201, "delivery_id", *accepted);
}

}  // namespace

intake::TransactionRequest read_transaction(const boost::json::object& object,
                                            const intake::Limits& limits,
                                            intake::Problems& problems) {
  const Fields fields(object, {}, problems);
  intake::TransactionRequest request;
  request.content = read_content(fields);
  request.at_most_once = fields.at_most_once().value_or(false);
  refuse_lost_members(object, members::kTransaction, problems);
  request.to = read_to(fields, object);
  request.cc = fields.texts("cc", limits.cc_max);
  request.bcc = fields.texts("bcc", limits.bcc_max);
  request.insert_codes = fields.insert_codes(limits.insert_codes_max);
  return request;
}

void add_transaction_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction", kSend,
          {.body_max = api.form_octets_max()}, &add_transaction);
}

}  // namespace todoku::api
