// SPDX-License-Identifier: Apache-2.0
// Rates of bounces and complaints of the account or of one of its deliveries (docs/protection.md).
// Not in the contract.
#include <string>

#include "api/admin/rates_json.h"
#include "api/api.h"
#include "api/list_query.h"

namespace todoku::api {
namespace {

Task<http::Response> show(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  ListQuery list(query, problems);
  const auto hours = list.number("hours", operate::kRateHoursUsual, operate::kRateHoursMax);
  const auto delivery = list.id("delivery_id").value_or(0);
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto report =
      co_await api.store().read([account = call.account.key, delivery, hours,
                                 now = api.store().clock().now()](store::ReadTransaction& reader) {
        return operate::read_rates(reader, account, delivery, hours, now);
      });
  if (!report) co_return refused(intake::refusal_of(report.error()), call.language);
  co_return http::Response::json(200, admin::rates_json(*report));
}

}  // namespace

void add_rate_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/rates", kRead, &show);
}

}  // namespace todoku::api
