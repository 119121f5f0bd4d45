// SPDX-License-Identifier: Apache-2.0
// What the account keeps of an address: told and erased, by its own key with the scope admin
// (docs/personal-data.md). Not in the contract.
#include <fmt/format.h>

#include "api/answers.h"
#include "api/api.h"
#include "api/operations.h"
#include "operate/calls/calls.h"

namespace todoku::api {
namespace {

namespace calls = operate::calls;

template <const operate::Call& kCall>
Task<http::Response> of_a_person(Api& api, Call& call) {
  call.request.parameters.add("actor", call.actor);
  call.request.parameters.add("origin", call.from.to_string());
  co_return co_await make_call(api, call, kCall, call.account.name);
}

// Insert codes are for who may see what was said, here as elsewhere.
Task<http::Response> told_of_a_person(Api& api, Call& call) {
  const bool with_content = has(call.scopes, store::Scope::content);
  if (!with_content) call.request.parameters.add("without_insert_codes", "true");
  auto response = co_await of_a_person<calls::kExportPersonal>(api, call);
  if (!with_content && response.status < 400) {
    response.headers.set(kWithheldHeader, "insert_codes");
  }
  co_return response;
}

}  // namespace

void add_personal_data_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/personal-data", kAdmin, &told_of_a_person);
  api.add(router, delete_, "/personal-data", kAdmin, &of_a_person<calls::kErasePersonal>);
}

}  // namespace todoku::api
