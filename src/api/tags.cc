// SPDX-License-Identifier: Apache-2.0
// What became of mail, by tag (docs/api.md). Not in the contract.
#include "operate/tags.h"

#include "api/api.h"
#include "api/list_query.h"
#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api {
namespace {

void tag_counts(http::JsonWriter& json, const OutcomeCounts& counts) {
  json.member("answered", counts.answered);
  json.member("delivered", counts.delivered);
  json.member("hard_bounces", counts.hard);
  json.member("unknown_users", counts.unknown_users);
  json.member("complaints", counts.complained);
  json.member("complaints_measured_by", counts.reporting);
}

std::string tags_json(const operate::TagReport& report, std::int64_t days) {
  http::JsonWriter json;
  json.begin_object();
  json.member("days", days);
  json.member("from", format_date_time(report.since));
  json.key("data");
  json.begin_array();
  for (const operate::TagLine& line : report.lines) {
    json.begin_object();
    json.member("tag", line.tag);
    tag_counts(json, line.counts);
    json.end_object();
  }
  json.end_array();
  json.key("others");
  if (report.others) {
    json.begin_object();
    tag_counts(json, *report.others);
    json.end_object();
  } else {
    json.null();
  }
  json.end_object();
  return json.take();
}

Task<http::Response> list_tags(Api& api, Call& call) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery list(query, problems);
  const auto days = list.number("days", operate::kTagDaysUsual, operate::kTagDaysMax);
  call.unknown = list.unread();
  if (!problems.empty()) co_return invalid(problems, call.language);
  const auto report =
      co_await api.store().read([account = call.account.key, days,
                                 now = api.store().clock().now()](store::ReadTransaction& reader) {
        return operate::read_tags(reader, account, days, now);
      });
  if (!report) co_return refused(intake::refusal_of(report.error()), call.language);
  co_return http::Response::json(200, tags_json(*report, days));
}

}  // namespace

void add_tag_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::get, "/tags", kRead, &list_tags);
}

}  // namespace todoku::api
