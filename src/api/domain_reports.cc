// SPDX-License-Identifier: Apache-2.0
// Reports that receivers sent of the account's domains, taken in. What they say together is
// GET /domains/{domain}/reports (domains.cc). Not in the contract.
#include <algorithm>
#include <expected>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/admin/report_json.h"
#include "api/api.h"
#include "api/form.h"
#include "api/idempotency.h"
#include "api/list_query.h"
#include "api/operations.h"
#include "async/yield.h"
#include "http/header_value.h"
#include "http/multipart.h"
#include "intake/changes.h"
#include "intake/field_digest.h"
#include "operate/calls/call.h"

namespace todoku::api {
namespace {

constexpr std::size_t kFormReadOctets = std::size_t{64} * 1024;  // before others get their turn
constexpr std::size_t kReportNameCharacters = 300;

using Files = std::vector<operate::HandedOverReports>;
using ReportOutcome = operate::ImportedReport::Outcome;

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

using TakenReports = std::expected<operate::ImportedReports, http::Response>;

Task<TakenReports> take_files(operate::Operations& operations, const Call& call, Files files) {
  operate::ImportedReports told;
  for (operate::HandedOverReports& file : files) {
    const std::string name = file.name;
    auto of_this = co_await operations.import_reports(call.account.name, std::move(file));
    if (!of_this && of_this.error().kind == ErrorKind::invalid_input && files.size() > 1) {
      told.reports.push_back({.name = name,
                              .outcome = ReportOutcome::refused,
                              .why = {of_this.error().detail, of_this.error().detail}});
      continue;
    }
    if (!of_this) {
      const bool is_theirs = of_this.error().kind == ErrorKind::invalid_input;
      co_return std::unexpected(refused(
          is_theirs ? 400 : 503, {of_this.error().detail, of_this.error().detail}, call.language));
    }
    std::ranges::move(of_this->reports, std::back_inserter(told.reports));
  }
  co_return told;
}

// Which of the first kReportsMarked were added: what a repeat of the request is told of them. Of
// later ones it hears that they are there.
constexpr std::size_t kReportsMarked = 62;

std::int64_t marks_of(const operate::ImportedReports& told) {
  std::int64_t marks = 0;
  for (std::size_t i = 0; i < std::min(kReportsMarked, told.reports.size()); ++i) {
    if (told.reports[i].outcome == ReportOutcome::added) marks |= std::int64_t{1} << i;
  }
  return marks;
}

void tell_as_marked(operate::ImportedReports& told, std::int64_t marks) {
  for (std::size_t i = 0; i < std::min(kReportsMarked, told.reports.size()); ++i) {
    const bool was_added = (marks >> i & 1) != 0;
    if (was_added && told.reports[i].outcome == ReportOutcome::repeated) {
      told.reports[i].outcome = ReportOutcome::added;
    }
  }
}

Task<Sha256> fingerprint_of(const Files& files) {
  intake::FieldDigest digest("reports");
  for (const operate::HandedOverReports& file : files) {
    digest.text(file.name);
    digest.text(file.octets);
    co_await async::give_way();
  }
  co_return digest.finish();
}

// A report is known by its own id, so nothing is taken twice, whatever becomes of the record: it is
// kept in a commit of its own, after the last report.
Task<intake::Answer<std::int64_t>> keep_marks(Api& api, intake::Repeatable its,
                                              std::int64_t marks) {
  if (!its) co_return marks;
  its->answer = marks;
  const auto kept = co_await api.store().write(
      store::WritePriority::accept,
      [record = *its](store::WriteTransaction& writer) { return writer.keep_answer(record); });
  if (!kept) co_return std::unexpected(intake::refusal_of_change(kept.error()));
  co_return marks;
}

Task<http::Response> import_reports(Api& api, Call& call) {
  operate::Operations* const operations = api.operations();
  if (operations == nullptr) co_return no_data_found(call);
  auto key = key_of_request(call, store::KeyedRoute::domain_reports);
  if (!key) co_return std::move(key.error());
  if (call.account.suspended) {
    co_return refused(
        intake::Refusal::of(ErrorKind::unauthorized, intake::texts::account_suspended()),
        call.language);
  }
  Files files;
  if (auto bad = co_await read_files(call, files)) co_return std::move(*bad);
  intake::Repeatable repeatable;
  if (*key) repeatable = store::IdempotencyRecord{**key, co_await fingerprint_of(files)};
  std::optional<TakenReports> came;
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines): awaited where it stands
  const auto make = [&](intake::Repeatable its) -> Task<intake::Answer<std::int64_t>> {
    came = co_await take_files(*operations, call, std::move(files));
    if (*came) co_return co_await keep_marks(api, its, marks_of(**came));
    co_return std::unexpected(intake::Refusal::of(ErrorKind::unavailable, {}));
  };
  const auto made = co_await api.intake().repeats().once(repeatable, make);
  if (!made && came && !*came) co_return std::move(came->error());
  if (!made) co_return refused(made.error(), call.language);
  if (!made->replayed) co_return http::Response::json(200, admin::imported_reports_json(**came));
  Files again;
  if (auto bad = co_await read_files(call, again)) co_return std::move(*bad);
  auto told = co_await take_files(*operations, call, std::move(again));
  if (!told) co_return std::move(told.error());
  tell_as_marked(*told, made->answer);
  auto response = http::Response::json(200, admin::imported_reports_json(*told));
  response.headers.set(kReplayedHeader, "true");
  co_return response;
}

}  // namespace

void add_report_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/reports", kAdmin,
          http::RouteOptions{.body_max = operate::kRawOctetsMax}, &import_reports);
}

}  // namespace todoku::api
