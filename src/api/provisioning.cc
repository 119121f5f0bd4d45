// SPDX-License-Identifier: Apache-2.0
// Accounts and their keys, for programs that set up customers: by a key with the scope admin of the
// account that the installation names for it, from networks that it lists. Not in the contract.
#include <string>

#include <fmt/format.h>

#include "api/api.h"
#include "api/operations.h"
#include "base/log.h"
#include "operate/calls/calls.h"

namespace todoku::api {
namespace {

namespace calls = operate::calls;

std::optional<http::Response> not_open(const Api& api, const Call& call) {
  const Options& options = api.options();
  const bool is_operators = !options.provisioning_account.empty() &&
                            call.account.name == options.provisioning_account &&
                            net::contain(options.provisioning_networks, call.from);
  if (is_operators) return std::nullopt;
  log::warning("provisioning refused",
               {{"by", call.account.name}, {"key", call.key}, {"from", call.from.to_string()}});
  return refused(403,
                 {"this key may not manage accounts from here.",
                  "このキーでは、ここからアカウントを管理できません。"},
                 call.language);
}

// Who did what is on record, whatever came of it.
template <const operate::Call& kCall>
Task<http::Response> provision(Api& api, Call& call) {
  if (auto closed = not_open(api, call)) co_return std::move(*closed);
  auto response = co_await make_call(api, call, kCall, {});
  if (kCall.verb != operate::Verb::get) {
    log::info("provisioning", {{"by", call.account.name},
                               {"key", call.key},
                               {"from", call.from.to_string()},
                               {"method", http::to_string(call.request.method)},
                               {"path", call.request.path},
                               {"status", response.status}});
  }
  co_return response;
}

}  // namespace

void add_provisioning_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/accounts", kAdmin, &provision<calls::kListAccounts>);
  api.add(router, post, "/accounts", kAdmin, &provision<calls::kAddAccount>);
  api.add(router, patch, "/accounts/{account}", kAdmin, &provision<calls::kChangeAccount>);
  api.add(router, get, "/accounts/{account}/keys", kAdmin, &provision<calls::kListKeys>);
  api.add(router, post, "/accounts/{account}/keys", kAdmin, &provision<calls::kAddKey>);
  api.add(router, delete_, "/accounts/{account}/keys/{id}", kAdmin, &provision<calls::kRevokeKey>);
  api.add(router, post, "/accounts/{account}/keys/{id}/rotate", kAdmin,
          &provision<calls::kRotateKey>);
}

}  // namespace todoku::api
