// SPDX-License-Identifier: Apache-2.0
// What an account has used by month (contract section 2.17), and, not in the contract, by day, with
// how it stands with its limits. Strict clients read every member as a
// number or a text, so an account without a limit a month has a number that no month reaches.
#include <algorithm>
#include <chrono>
#include <limits>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "api/api.h"
#include "api/list_query.h"
#include "base/date_time.h"
#include "http/json.h"
#include "intake/mail_limit.h"

namespace todoku::api {
namespace {

constexpr std::string_view kUnlimitedPlan = "unlimited";
constexpr std::int64_t kUnlimited = std::numeric_limits<std::int32_t>::max();
constexpr std::int64_t kMonthsMost = 120;
constexpr std::int64_t kDaysUsual = 31;
constexpr std::int64_t kDaysMost = 62;  // no longer they are kept (docs/personal-data.md)

// Of an account's limit a month; 0: it has none.
void usage_members(http::JsonWriter& json, const store::Usage& usage, std::int64_t limit) {
  json.begin_object();
  json.member("month", static_cast<std::int64_t>(usage.month));
  json.member("current", usage.mails);
  json.member("remaining", limit == 0
                               ? kUnlimited
                               : std::clamp<std::int64_t>(limit - usage.mails, 0, kUnlimited));
  // Clients read one or the other.
  json.member("update_time", format_date_time(usage.updated));
  json.member("updated_time", format_date_time(usage.updated));
  json.member("plan_id",
              limit == 0 ? std::string(kUnlimitedPlan) : fmt::format("mails_per_month-{}", limit));
  json.end_object();
}

// Newest first; months without mails as well.
Task<Result<std::vector<store::Usage>>> read_months(Api& api, store::AccountKey account,
                                                    store::Month last, int months) {
  const store::Month first = store::month_before(last, months - 1);
  auto used = co_await api.store().read([account, first, last](store::ReadTransaction& reader) {
    return reader.usages(account, first, last);
  });
  if (!used) co_return used;
  std::vector<store::Usage> all;
  for (int back = 0; back < months; ++back) {
    const store::Month month = store::month_before(last, back);
    const auto found = std::ranges::find(*used, month, &store::Usage::month);
    all.push_back(found != used->end() ? *found
                                       : store::Usage{month, 0, store::beginning_of(month)});
  }
  co_return all;
}

Task<http::Response> one_month(Api& api, Call& call, store::Month month) {
  const auto usages = co_await read_months(api, call.account.key, month, 1);
  if (!usages) co_return refused(intake::refusal_of(usages.error()), call.language);
  http::JsonWriter json;
  usage_members(json, usages->front(), call.account.limits.mails_per_month);
  co_return http::Response::json(200, json.take());
}

Task<http::Response> list_usages(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const auto months = ListQuery(query, problems).number("month_ago", 1, kMonthsMost);
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto usages = co_await read_months(
      api, call.account.key, store::month_of(api.store().clock().now()), static_cast<int>(months));
  if (!usages) co_return refused(intake::refusal_of(usages.error()), call.language);
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::Usage& usage : *usages) {
    usage_members(json, usage, call.account.limits.mails_per_month);
  }
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

std::string date_of(store::DayNumber day) {
  const std::chrono::year_month_day date{std::chrono::sys_days(std::chrono::days(day))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

void standing_members(http::JsonWriter& json, const intake::Standing& standing) {
  json.begin_object();
  json.member("limit", standing.limit);
  json.member("most", standing.most);
  json.member("used", standing.used);
  json.member("remaining", std::max<std::int64_t>(standing.most - standing.used, 0));
  json.member("resets_in", static_cast<std::int64_t>(standing.resets_in.count()));
  json.end_object();
}

// Newest first; days without mails as well.
Task<http::Response> by_day(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  const auto many = reader.number("days", kDaysUsual, kDaysMost);
  call.unknown = reader.unread();
  if (!problems.empty()) co_return invalid(problems, call.language);
  const store::AccountKey account = call.account.key;
  const store::DayNumber today = intake::day_of(api.store().clock().now());
  const auto counts = co_await api.store().read(
      [account, first = today - many + 1](store::ReadTransaction& reading) {
        return reading.mail_counts(std::span(&account, 1), first);
      });
  if (!counts) co_return refused(intake::refusal_of(counts.error()), call.language);
  const auto standings = co_await api.intake().standing(call.account);
  if (!standings) co_return refused(intake::refusal_of(standings.error()), call.language);
  std::vector<std::int64_t> mails(static_cast<std::size_t>(many));
  for (const store::MailCount& each : *counts) {
    const store::DayNumber back = today - each.day;
    if (back >= 0 && back < many) mails[static_cast<std::size_t>(back)] += each.mails;
  }
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (std::int64_t back = 0; back < many; ++back) {
    json.begin_object();
    json.member("day", date_of(today - back));
    // What was given back on the day after is no debt of that day's.
    json.member("accepted", std::max<std::int64_t>(mails[static_cast<std::size_t>(back)], 0));
    json.end_object();
  }
  json.end_array();
  json.key("limits");
  json.begin_array();
  for (const intake::Standing& each : *standings) standing_members(json, each);
  json.end_array();
  json.end_object();
  co_return http::Response::json(200, json.take());
}

Task<http::Response> latest(Api& api, Call& call) {
  return one_month(api, call, store::month_of(api.store().clock().now()));
}

Task<http::Response> of_month(Api& api, Call& call) {
  const auto given = path_id(call, "month");
  const store::Month current = store::month_of(api.store().clock().now());
  if (!given || *given > current || !store::is_month(static_cast<store::Month>(*given))) {
    co_return no_data_found(call);
  }
  co_return co_await one_month(api, call, static_cast<store::Month>(*given));
}

}  // namespace

void add_usage_routes(Api& api, http::Router& router) {
  using enum http::Method;
  api.add(router, get, "/usages", kRead, &list_usages);
  api.add(router, get, "/usages/latest", kRead, &latest);
  api.add(router, get, "/usages/days", kRead, &by_day);
  api.add(router, get, "/usages/{month}", kRead, &of_month);
}

}  // namespace todoku::api
