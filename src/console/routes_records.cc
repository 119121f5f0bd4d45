// SPDX-License-Identifier: Apache-2.0
// The audit, of an account for its owners and of all for operators; the accounts there are, for
// operators.
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

using operate::AuditPage;

constexpr std::int64_t kListedUsually = 100;
// Lines of others that one answer passes over; the list goes on where it stopped.
constexpr std::int64_t kPassedOverMax = 10'000;
constexpr std::int64_t kPieceMax = 1'000;

// Of one account, among the lines of all.
Task<Result<AuditPage>> audit_of(operate::Operations& operations, operate::AuditRequest request,
                                 std::string account) {
  AuditPage page;
  const std::int64_t wanted = std::exchange(request.limit, kPieceMax);
  for (std::int64_t passed = 0; passed < kPassedOverMax; passed += kPieceMax) {
    auto piece = co_await operations.audit(request);
    if (!piece) co_return fail(std::move(piece.error()));
    page.next = piece->next;
    for (operate::AuditLine& line : piece->lines) {
      if (line.account != account) continue;
      page.lines.push_back(std::move(line));
      if (std::ssize(page.lines) < wanted) continue;
      page.next = page.lines.back().entry.number;
      co_return page;
    }
    if (piece->next == 0) break;
    request.after = piece->next;
  }
  co_return page;
}

Task<http::Response> show_audit(Asked asked) {
  if (auto closed = closed_to(asked, true)) co_return std::move(*closed);
  const std::string since = asked.given.text("since");
  if (!since.empty() && !parse_date_time(since)) {
    co_return refused(400, "since is no date and time such as 2026-04-01T09:00:00+09:00.",
                      "sinceは 2026-04-01T09:00:00+09:00 のような日時で指定してください。", asked);
  }
  operate::AuditRequest request{.since = since,
                                .after = asked.given.number("after").value_or(0),
                                .limit = asked.given.number("limit").value_or(kListedUsually)};
  operate::Operations& operations = asked.console.operations();
  Result<AuditPage> page = AuditPage();
  if (asked.who->account) {
    page = co_await audit_of(operations, std::move(request), asked.who->account->name);
  } else {
    page = co_await operations.audit(std::move(request));
  }
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
