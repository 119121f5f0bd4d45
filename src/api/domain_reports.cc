// SPDX-License-Identifier: Apache-2.0
// Reports that receivers sent of the account's domains, taken in. What they say together is
// GET /domains/{domain}/reports (domains.cc). Not in the contract.
#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/admin/report_json.h"
#include "api/api.h"
#include "api/form.h"
#include "api/list_query.h"
#include "api/operations.h"
#include "async/yield.h"
#include "http/header_value.h"
#include "http/multipart.h"
#include "operate/calls/call.h"

namespace todoku::api {
namespace {

constexpr std::size_t kFormReadOctets = std::size_t{64} * 1024;  // before others get their turn
constexpr std::size_t kReportNameCharacters = 300;

using Files = std::vector<operate::HandedOverReports>;

// Takes what the parser has found so far. True at the end of the form.
Result<bool> take_report_parts(http::MultipartParser& parser, Files& files) {
  while (true) {
    const auto event = parser.next();
    if (!event) return fail(event.error());
    const bool is_file = parser.part_number() > 0 && parser.part().name == "file";
    switch (event->kind) {
      case http::MultipartEvent::Kind::need_more:
        return false;
      case http::MultipartEvent::Kind::part_begin:
        if (is_file) files.push_back({.name = parser.part().file_name.value_or(""), .octets = {}});
        break;
      case http::MultipartEvent::Kind::data:
        if (is_file) files.back().octets += event->data;
        break;
      case http::MultipartEvent::Kind::part_end:
        break;
      case http::MultipartEvent::Kind::finished:
        return true;
    }
  }
}

// Why the form could not be taken; nullopt if it was.
Task<std::optional<http::Response>> read_report_form(const Call& call, std::string boundary,
                                                     Files& files) {
  http::MultipartParser parser(boundary);
  Result<bool> finished = false;
  for (std::string_view body = call.body.text(); finished && !*finished;) {
    if (body.empty()) parser.end_of_input();
    const std::string_view piece = body.substr(0, kFormReadOctets);
    body.remove_prefix(piece.size());
    parser.push(piece);
    finished = take_report_parts(parser, files);
    co_await async::give_way();
  }
  if (!finished) co_return refused(400, unreadable_parts(finished.error()), call.language);
  if (!files.empty()) co_return std::nullopt;
  intake::Problems problems;
  problems.add({"file"}, intake::texts::required());
  co_return invalid(problems, call.language);
}

// The body is a report, or a message, as it came, of whatever type; or it is a form with files.
Task<std::optional<http::Response>> read_files(Call& call, Files& files) {
  intake::Problems problems;
  const http::Query query = call.request.query_parameters();
  const ListQuery reader(query, problems);
  std::string name = reader.text("name", kReportNameCharacters);
  if (!problems.empty()) co_return invalid(problems, call.language);
  call.unknown = reader.unread();
  const std::string_view content_type = call.request.headers.get("Content-Type");
  const std::string type = http::media_type(content_type);
  if (type == "multipart/form-data") {
    auto boundary = http::multipart_boundary(content_type);
    if (!boundary) co_return refused(400, unreadable_parts(boundary.error()), call.language);
    co_return co_await read_report_form(call, std::move(*boundary), files);
  }
  if (call.body.text().empty()) {
    co_return refused(400, {"the request has no report.", "レポートがありません。"}, call.language);
  }
  files.push_back({.name = std::move(name), .octets = std::string(call.body.text())});
  co_return std::nullopt;
}

Task<http::Response> import_reports(Api& api, Call& call) {
  operate::Operations* const operations = api.operations();
  if (operations == nullptr) co_return no_data_found(call);
  if (call.account.suspended) {
    co_return refused(
        intake::Refusal::of(ErrorKind::unauthorized, intake::texts::account_suspended()),
        call.language);
  }
  Files files;
  auto bad = co_await read_files(call, files);
  if (bad) co_return std::move(*bad);
  operate::ImportedReports told;
  for (operate::HandedOverReports& file : files) {
    const std::string name = file.name;
    auto of_this = co_await operations->import_reports(call.account.name, std::move(file));
    if (!of_this && of_this.error().kind == ErrorKind::invalid_input && files.size() > 1) {
      told.reports.push_back({.name = name,
                              .outcome = operate::ImportedReport::Outcome::refused,
                              .why = {of_this.error().detail, of_this.error().detail}});
      continue;
    }
    if (!of_this) {
      const bool is_theirs = of_this.error().kind == ErrorKind::invalid_input;
      co_return refused(is_theirs ? 400 : 503, {of_this.error().detail, of_this.error().detail},
                        call.language);
    }
    std::ranges::move(of_this->reports, std::back_inserter(told.reports));
  }
  co_return http::Response::json(200, admin::imported_reports_json(told));
}

}  // namespace

void add_report_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/reports", kAdmin,
          http::RouteOptions{.body_max = operate::kRawOctetsMax}, &import_reports);
}

}  // namespace todoku::api
