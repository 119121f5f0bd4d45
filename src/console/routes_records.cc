// SPDX-License-Identifier: Apache-2.0
// The audit, newest first, of an account for its owners and of all for operators; the accounts
// there are, for operators.
#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "api/admin/json.h"
#include "api/admin/personal_json.h"
#include "base/date_time.h"
#include "console/answers.h"
#include "console/calls.h"
#include "console/console.h"

namespace todoku::console {
namespace {

constexpr std::int64_t kListedUsually = 100;

Task<http::Response> show_audit(Asked asked) {
  if (auto closed = closed_to(asked, true)) co_return std::move(*closed);
  const std::string since = asked.given.text("since");
  if (!since.empty() && !parse_date_time(since)) {
    co_return refused(400, "since is no date and time such as 2026-04-01T09:00:00+09:00.",
                      "sinceは 2026-04-01T09:00:00+09:00 のような日時で指定してください。", asked);
  }
  operate::AuditRequest request{.since = since,
                                .after = asked.given.number("after").value_or(0),
                                .limit = asked.given.number("limit").value_or(kListedUsually),
                                .newest_first = true};
  if (asked.who->account) request.account = asked.who->account->key;
  auto page = co_await asked.console.operations().audit(std::move(request));
  if (!page) co_return refused(std::move(page.error()), asked);
  co_return http::Response::json(200, api::admin::audit_json(*page, std::chrono::minutes(0)));
}

Task<http::Response> list_accounts(Asked asked) {
  if (auto closed = closed_to(asked, false)) co_return std::move(*closed);
  const auto accounts = co_await asked.console.operations().accounts(
      asked.given.text("after"), asked.given.number("limit").value_or(kListedUsually));
  if (!accounts) co_return refused(accounts.error(), asked);
  co_return http::Response::json(200, api::admin::accounts_json(*accounts));
}

constexpr std::array kRecordRoutes{
    RouteOf{http::Method::get, Wanted::look, true, &calls::kAudit, show_audit},
    RouteOf{http::Method::get, Wanted::look, true, &calls::kAccounts, list_accounts},
};

}  // namespace

std::span<const RouteOf> record_routes() {
  return kRecordRoutes;
}

}  // namespace todoku::console
