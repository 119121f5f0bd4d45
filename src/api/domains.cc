// SPDX-License-Identifier: Apache-2.0
// The domains that an account sends from, by its own key with the scope admin. Not in the contract.
#include "api/api.h"
#include "api/operations.h"
#include "operate/calls/calls.h"

namespace todoku::api {
namespace {

namespace calls = operate::calls;

template <const operate::Call& kCall>
Task<http::Response> of_own(Api& api, Call& call) {
  co_return co_await make_call(api, call, kCall, call.account.name);
}

Task<http::Response> add_own(Api& api, Call& call) {
  co_return co_await make_call_once(api, call, calls::kAddDomain, call.account.name,
                                    store::KeyedRoute::domain);
}

}  // namespace

void add_domain_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/domains", kAdmin, &of_own<calls::kListDomains>);
  api.add(router, post, "/domains", kAdmin, &add_own);
  api.add(router, post, "/domains/{domain}/verify", kAdmin, &of_own<calls::kVerifyDomain>);
  api.add(router, post, "/domains/{domain}/consent", kAdmin, &of_own<calls::kConsent>);
  api.add(router, get, "/domains/{domain}/reports", kAdmin, &of_own<calls::kShowReports>);
  api.add(router, get, "/domains/{domain}/history", kAdmin, &of_own<calls::kDomainHistory>);
  api.add(router, get, "/domains/{domain}/records", kAdmin, &of_own<calls::kDomainRecords>);
  api.add(router, post, "/domains/{domain}/keys", kAdmin, &of_own<calls::kMakeDomainKeys>);
  api.add(router, delete_, "/domains/{domain}", kAdmin, &of_own<calls::kRemoveDomain>);
}

}  // namespace todoku::api
