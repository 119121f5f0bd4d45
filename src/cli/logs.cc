// SPDX-License-Identifier: Apache-2.0
// todoku logs, todoku log ID
#include <algorithm>
#include <utility>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/printable_stream.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

constexpr std::int64_t kPageRows = 1'000;  // the API's most

std::string page_target(const LogSearch& search, std::optional<std::int64_t> anchor,
                        std::int64_t count) {
  TargetWriter target("/logs/mails/results");
  target.with("anchor", anchor)
      .with("count", std::optional(count))
      .with("email", search.email)
      .with("reference", search.reference)
      .with("delivery_id", search.delivery)
      .with("delivery_type[]", search.types)
      .with("status[]", search.statuses)
      .with("response_code[]", search.codes)
      .with("delivery_start", search.start)
      .with("delivery_end", search.end);
  return target.take();
}

void print_log_rows(Session& session, const boost::json::array& data) {
  if (data.empty()) {
    session.say({"There is no such mail in the log.", "該当するログはありません。"});
    return;
  }
  std::vector<std::vector<std::string>> rows = {
      {"ID", session.words({"DELIVERY", "配信"}), session.words({"TYPE", "種別"}),
       session.words({"EMAIL", "宛先"}), session.words({"STATUS", "状態"}),
       session.words({"CODE", "応答"}), session.words({"UPDATED", "更新日時"}),
       session.words({"MESSAGE", "応答文"})}};
  // A column that most have nothing for.
  const bool with_references = std::ranges::any_of(
      data, [](const boost::json::value& row) { return !text_of(row, "reference").empty(); });
  if (with_references) {
    rows.front().insert(rows.front().begin() + 4, session.words({"REFERENCE", "参照番号"}));
  }
  for (const auto& row : data) {
    rows.push_back({fmt::format("{}", number_of(row, "maillog_id")),
                    fmt::format("{}", number_of(row, "delivery_id")), text_of(row, "delivery_type"),
                    text_of(row, "email"), text_of(row, "status"),
                    text_of(row, "last_response_code"), text_of(row, "updated_time"),
                    text_of(row, "last_response_message")});
    if (with_references) {
      rows.back().insert(rows.back().begin() + 4, text_of(row, "reference"));
    }
  }
  print_table(session.out(), std::move(rows));
}

}  // namespace

int show_logs(Session& session, const LogSearch& search) {
  ApiSession api(session);
  boost::json::array all;
  auto anchor = search.anchor;
  while (static_cast<std::int64_t>(all.size()) < search.limit) {
    const std::int64_t wanted =
        std::min(kPageRows, search.limit - static_cast<std::int64_t>(all.size()));
    const auto page =
        api.ask({.target = page_target(search, anchor, wanted), .answered_with = "data"});
    if (page == nullptr) return api.status();
    const auto& data = list_of(page->value, "data");
    all.insert(all.end(), data.begin(), data.end());
    if (static_cast<std::int64_t>(data.size()) < wanted) break;
    anchor = number_of(data.back(), "maillog_id");
  }
  if (api.json()) {
    const boost::json::value whole = boost::json::object{{"data", std::move(all)}};
    api.out() << printable_json(boost::json::serialize(whole)) << '\n';
  } else {
    print_log_rows(session, all);
  }
  return kDone;
}

int show_log(Session& session, std::int64_t maillog) {
  ApiSession api(session);
  return api.call({.target = fmt::format("/logs/mails/{}", maillog)}, [&](const ReadAnswer& read) {
    for (const std::string_view name :
         {"email", "reference", "status", "last_response_code", "last_response_message",
          "delivery_time", "open_time", "updated_time"}) {
      const std::string value = text_of(read.value, name);
      if (!value.empty()) fmt::print(api.out(), "{:<21} {}\n", name, printable(value));
    }
    std::vector<std::vector<std::string>> rows = {
        {session.words({"TIME", "日時"}), session.words({"STATUS", "状態"}),
         session.words({"CODE", "応答"}), session.words({"MESSAGE", "応答文"})}};
    for (const auto& attempt : list_of(read.value, "sent_history")) {
      rows.push_back({text_of(attempt, "delivery_time"), text_of(attempt, "status"),
                      text_of(attempt, "response_code"), text_of(attempt, "response_message")});
    }
    api.out() << '\n';
    print_table(api.out(), std::move(rows));
  });
}

}  // namespace todoku::cli
