// SPDX-License-Identifier: Apache-2.0
// todoku deliveries, todoku delivery ID
#include <array>
#include <utility>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

std::string sender_of(const boost::json::value& delivery) {
  const auto* object = delivery.if_object();
  const auto* from = object == nullptr ? nullptr : object->if_contains("from");
  return from == nullptr ? "" : text_of(*from, "email");
}

void print_deliveries(ApiSession& api, const boost::json::value& answer) {
  Session& session = api.session();
  std::vector<std::vector<std::string>> rows = {
      {"ID", session.words({"TYPE", "種別"}), session.words({"STATUS", "状態"}),
       session.words({"TIME", "日時"}), session.words({"FROM", "差出人"}),
       session.words({"SUBJECT", "件名"})}};
  for (const auto& delivery : list_of(answer, "data")) {
    const std::string begun = text_of(delivery, "delivery_time");
    const std::string reserved = text_of(delivery, "reservation_time");
    rows.push_back({fmt::format("{}", number_of(delivery, "delivery_id")),
                    text_of(delivery, "delivery_type"), text_of(delivery, "status"),
                    begun.empty() ? reserved : begun, sender_of(delivery),
                    text_of(delivery, "subject")});
  }
  if (rows.size() == 1) {
    session.say({"There is no such delivery.", "該当する配信はありません。"});
    return;
  }
  print_table(session.out(), std::move(rows));
}

// The members are the API's, in its words.
void print_delivery(ApiSession& api, const boost::json::value& delivery) {
  std::ostream& out = api.out();
  const auto line = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) fmt::print(out, "{:<17} {}\n", name, printable(value));
  };
  line("delivery_id", fmt::format("{}", number_of(delivery, "delivery_id")));
  for (const std::string_view name : {"delivery_type", "status", "subject"}) {
    line(name, text_of(delivery, name));
  }
  line("from", sender_of(delivery));
  for (const std::string_view name :
       {"reservation_time", "delivery_time", "created_time", "updated_time", "duplicate_policy"}) {
    line(name, text_of(delivery, name));
  }
  for (const std::string_view name : {"total_count", "sent_count", "drop_count", "soft_error_count",
                                      "hard_error_count", "open_count"}) {
    line(name, fmt::format("{}", number_of(delivery, name)));
  }
  for (const auto& attach : list_of(delivery, "attaches")) {
    line("attach", fmt::format("{}, {}, {}", text_of(attach, "file_name"), text_of(attach, "mime"),
                               number_of(attach, "size")));
  }
}

}  // namespace

int list_deliveries(Session& session, const DeliverySearch& search) {
  ApiSession api(session);
  TargetWriter target("/deliveries/all");
  target.with("status[]", search.statuses)
      .with("delivery_type[]", search.types)
      .with("subject", search.subject)
      .with("from", search.from)
      .with("tag", search.tag)
      .with("delivery_start", search.start)
      .with("delivery_end", search.end)
      .with("size", search.size)
      .with("page", search.page)
      .with("sort", search.sort);
  return api.call({.target = target.take(), .answered_with = "data"},
                  [&](const ReadAnswer& read) { print_deliveries(api, read.value); });
}

int show_delivery(Session& session, std::int64_t delivery) {
  ApiSession api(session);
  return api.call(
      {.target = fmt::format("/deliveries/{}", delivery), .answered_with = "delivery_id"},
      [&](const ReadAnswer& read) { print_delivery(api, read.value); });
}

}  // namespace todoku::cli
