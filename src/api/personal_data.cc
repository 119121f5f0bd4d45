// SPDX-License-Identifier: Apache-2.0
// What the account keeps of an address: told and erased, by its own key with the scope admin
// (docs/personal-data.md). Not in the contract.
#include <fmt/format.h>

#include "api/api.h"
#include "api/operations.h"
#include "operate/calls/calls.h"

namespace todoku::api {
namespace {

namespace calls = operate::calls;

template <const operate::Call& kCall>
Task<http::Response> of_a_person(Api& api, Call& call) {
  call.request.parameters.add("actor", fmt::format("api key {}", call.key));
  call.request.parameters.add("origin", call.from.to_string());
  co_return co_await make_call(api, call, kCall, call.account.name);
}

}  // namespace

void add_personal_data_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/personal-data", kAdmin, &of_a_person<calls::kExportPersonal>);
  api.add(router, delete_, "/personal-data", kAdmin, &of_a_person<calls::kErasePersonal>);
}

}  // namespace todoku::api
