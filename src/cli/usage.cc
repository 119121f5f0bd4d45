// SPDX-License-Identifier: Apache-2.0
// todoku usage
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/printable_stream.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

std::string hours_of(std::int64_t seconds) {
  return fmt::format("{}:{:02}", seconds / 3'600, seconds / 60 % 60);
}

void print_limits(Session& session, ApiSession& api, const boost::json::array& limits) {
  if (limits.empty()) {
    session.say(
        {"There is no limit of mails a day or a month.", "日ごと、月ごとの上限はありません。"});
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {session.words({"LIMIT", "上限"}), session.words({"MOST", "最大"}),
       session.words({"USED", "使用"}), session.words({"REMAINING", "残り"}),
       session.words({"RESETS IN", "更新まで"})}};
  for (const auto& each : limits) {
    rows.push_back({text_of(each, "limit"), fmt::format("{}", number_of(each, "most")),
                    fmt::format("{}", number_of(each, "used")),
                    fmt::format("{}", number_of(each, "remaining")),
                    hours_of(number_of(each, "resets_in"))});
  }
  print_table(api.out(), std::move(rows));
}

void print_spans(Session& session, ApiSession& api, const boost::json::array& days,
                 const boost::json::array& months) {
  std::vector<std::vector<std::string>> rows = {
      {session.words({"DAY", "日"}), session.words({"ACCEPTED", "受付"})}};
  for (const auto& each : days) {
    const std::int64_t accepted = number_of(each, "accepted");
    if (accepted > 0) rows.push_back({text_of(each, "day"), fmt::format("{}", accepted)});
  }
  if (rows.size() > 1) print_table(api.out(), std::move(rows));
  rows = {{session.words({"MONTH", "月"}), session.words({"STARTED", "開始"})}};
  for (const auto& each : months) {
    rows.push_back({fmt::format("{}", number_of(each, "month")),
                    fmt::format("{}", number_of(each, "current"))});
  }
  print_table(api.out(), std::move(rows));
}

}  // namespace

int show_usage(Session& session, const UsageSearch& search) {
  ApiSession api(session);
  const auto days = api.ask(
      {.target = fmt::format("/usages/days?days={}", search.days), .answered_with = "data"});
  if (days == nullptr) return api.status();
  const auto months = api.ask(
      {.target = fmt::format("/usages?month_ago={}", search.months), .answered_with = "data"});
  if (months == nullptr) return api.status();
  const auto& limits = list_of(days->value, "limits");
  if (api.json()) {
    const boost::json::value whole = boost::json::object{{"days", list_of(days->value, "data")},
                                                         {"months", list_of(months->value, "data")},
                                                         {"limits", limits}};
    api.out() << printable_json(boost::json::serialize(whole)) << '\n';
    return kDone;
  }
  print_limits(session, api, limits);
  print_spans(session, api, list_of(days->value, "data"), list_of(months->value, "data"));
  return kDone;
}

}  // namespace todoku::cli
