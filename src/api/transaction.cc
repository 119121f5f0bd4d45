// SPDX-License-Identifier: Apache-2.0
// POST /deliveries/transaction (contract section 2.1).
#include <utility>

#include <boost/json/array.hpp>

#include "api/api.h"
#include "api/fields.h"
#include "api/form.h"

namespace todoku::api {
namespace {

// One address. A list with a single entry is what one client sends and means the same.
std::string read_to(const Fields& fields, const boost::json::object& object) {
  const boost::json::value* to = object.if_contains("to");
  if (to == nullptr || !to->is_array()) return fields.text("to").value_or("");
  auto list = fields.texts("to");
  if (list.size() == 1) return std::move(list.front());
  fields.wrong_type("to", "one e-mail address as a string", "1件のメールアドレス (文字列)");
  return {};
}

intake::TransactionRequest read_request(Form& form, intake::Problems& problems) {
  const Fields fields(form.object(), {}, problems);
  intake::TransactionRequest request;
  request.content = read_content(fields);
  request.content.attachments = std::move(form.attachments);
  request.to = read_to(fields, form.object());
  request.cc = fields.texts("cc");
  request.bcc = fields.texts("bcc");
  request.insert_codes = fields.insert_codes();
  return request;
}

Task<http::Response> add_transaction(Api& api, Call& call) {
  Form form;
  if (auto bad = read_form(call, false, form)) co_return std::move(*bad);
  intake::Problems problems;
  auto request = read_request(form, problems);
  if (!problems.empty()) {
    co_return http::Response::json(400, error_body(problems, call.language));
  }
  const auto accepted = co_await api.intake().accept_transaction(call.account, std::move(request));
  if (!accepted) co_return refused(accepted.error(), call.language);
  co_return id_response(201, "delivery_id", *accepted);
}

}  // namespace

void add_transaction_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/transaction",
          {.body_max = api.form_octets_max()}, &add_transaction);
}

}  // namespace todoku::api
