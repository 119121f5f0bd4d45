// SPDX-License-Identifier: Apache-2.0
// Why mail did or did not arrive: the stories of an address, or causes of many mails. Not in the
// contract.
#include "api/api.h"
#include "api/operations.h"
#include "operate/calls/calls.h"

namespace todoku::api {
namespace {

Task<http::Response> explain(Api& api, Call& call) {
  if (call.request.query_parameters().find("lang") == nullptr) {
    call.request.parameters.add("lang", call.language == Language::japanese ? "ja" : "en");
  }
  const bool with_content = has(call.scopes, store::Scope::content);
  auto response =
      co_await make_call(api, call, operate::calls::kExplain, call.account.name,
                         with_content ? &admin::carry_out : &admin::carry_out_without_content);
  if (!with_content && response.status == 200) response.headers.set(kWithheldHeader, "subject");
  co_return response;
}

}  // namespace

void add_explain_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/explain", kRead, &explain);
}

}  // namespace todoku::api
