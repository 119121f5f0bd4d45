// SPDX-License-Identifier: Apache-2.0
// Transactions that wait for their time (`send_at`): listed, and moved. They are among the other
// deliveries, too, in status RESERVE, and cancelled by the same path as reservations.
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/api.h"
#include "api/approvals.h"
#include "api/fields.h"
#include "api/form.h"
#include "api/list_query.h"
#include "api/members.h"
#include "api/message_id.h"
#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api {
namespace {

constexpr std::int64_t kWaitingCount = 100;
// Questions for one page: it goes past reservations and drafts of bulk, too.
constexpr int kWaitingQuestionsMax = 16;

struct WaitingPage {
  std::vector<store::Delivery> deliveries;
  std::optional<store::DeliveryPlace> next;  // nullopt: there are no more
};

// As cursor_of() writes it.
std::optional<store::DeliveryPlace> place_of_cursor(std::string_view cursor) {
  store::DeliveryPlace place;
  const char* const end = cursor.data() + cursor.size();
  const auto time = std::from_chars(cursor.data(), end, place.time_ms, 16);
  if (time.ec != std::errc() || time.ptr == end || *time.ptr != '-') return std::nullopt;
  const auto number = std::from_chars(time.ptr + 1, end, place.number, 16);
  if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
  if (place.time_ms < 0 || place.number < 0) return std::nullopt;
  return place;
}

std::string cursor_of(const store::DeliveryPlace& place) {
  return fmt::format("{:x}-{:x}", place.time_ms, place.number);
}

// One question's share of the page.
Result<void> add_waiting(store::ReadTransaction& reader, const store::DeliveryFilter& filter,
                         WaitingPage& page) {
  const auto wanted = filter.limit - static_cast<std::int64_t>(page.deliveries.size());
  const auto stretch =
      reader.match_deliveries(filter, store::DeliveryOrder::newest_first, page.next, wanted);
  if (!stretch) return fail(stretch.error());
  page.next = stretch->next;
  std::vector<store::DeliveryKey> keys;
  for (const store::DeliveryMatch& match : stretch->matches) keys.push_back(match.key);
  if (keys.empty()) return {};
  auto heads = reader.delivery_heads(keys);
  if (!heads) return fail(std::move(heads.error()));
  for (store::Delivery& head : *heads) page.deliveries.push_back(std::move(head));
  return {};
}

std::string waiting_json(const Api& api, const WaitingPage& page) {
  http::JsonWriter json;
  json.begin_object();
  json.key("data");
  json.begin_array();
  for (const store::Delivery& delivery : page.deliveries) {
    json.begin_object();
    json.member("delivery_id", delivery.id);
    if (const auto id = message_id_of(api, delivery.key); !id.empty())
      json.member("message_id", id);
    json.member("send_at", format_date_time(delivery.reservation.value_or(delivery.created)));
    json.member("from", delivery.content.from.address);
    json.member("subject", delivery.content.subject);
    json.member("total_count", delivery.counts.total);
    json.member("created_time", format_date_time(delivery.created));
    json.end_object();
  }
  json.end_array();
  if (page.next) json.member("next_cursor", cursor_of(*page.next));
  json.member("has_more", page.next.has_value());
  json.end_object();
  return json.take();
}

Task<http::Response> list_waiting(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query parameters = call.request.query_parameters();
  const ListQuery query(parameters, problems);
  const store::DeliveryFilter filter{.account = call.account.key,
                                     .statuses = {DeliveryStatus::reserve},
                                     .types = {DeliveryType::transaction, DeliveryType::smtp},
                                     .limit = query.number("count", kWaitingCount)};
  WaitingPage page;
  if (const auto* cursor = parameters.find("cursor")) {
    page.next = place_of_cursor(cursor->value);
    if (!page.next) {
      problems.add({"cursor"}, {"is no cursor; take next_cursor of an answer.",
                                "カーソルの形式が正しくありません。応答のnext_cursorを指定して"
                                "ください。"});
    }
  }
  if (!problems.empty()) co_return invalid(problems, call.language);
  for (int questions = 0; questions < kWaitingQuestionsMax; ++questions) {
    const auto added = co_await api.store().read(
        [&](store::ReadTransaction& reader) { return add_waiting(reader, filter, page); });
    if (!added) co_return refused(intake::refusal_of(added.error()), call.language);
    const bool is_full = static_cast<std::int64_t>(page.deliveries.size()) >= filter.limit;
    if (!page.next || is_full) break;
  }
  co_return http::Response::json(200, waiting_json(api, page));
}

Task<http::Response> move_start(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id) co_return no_data_found(call);
  Form form;
  auto bad = co_await read_form(api, call, false, form);
  if (bad) co_return std::move(*bad);
  call.unknown = unknown_members(form.object(), members::kSendAt);
  intake::Problems problems;
  const auto send_at = Fields(form.object(), {}, problems).date("send_at");
  if (!send_at && problems.empty()) problems.add({"send_at"}, intake::texts::required());
  refuse_lost_members(form.object(), members::kSendAt, problems);
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto moved = co_await api.intake().move_start(call.account, call.asked_by(), *id, *send_at);
  if (!moved) co_return refused(moved.error(), call.language);
  co_await warn_of_approval(api, call, *id);
  co_return id_response(200, "delivery_id", *id);
}

}  // namespace

void add_waiting_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/deliveries/waiting", kRead, &list_waiting);
  api.add(router, http::Method::patch, "/deliveries/{delivery_id}/send_at", kSend, &move_start);
}

}  // namespace todoku::api
