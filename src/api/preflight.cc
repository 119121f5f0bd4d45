// SPDX-License-Identifier: Apache-2.0
// "Will it arrive?" of a delivery (docs/api.md). Not in the contract.
#include "api/preflight.h"

#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "api/api.h"
#include "api/findings.h"
#include "api/preflight_answer.h"
#include "doctor/preflight_refusal.h"
#include "doctor/preflight_texts.h"
#include "http/json.h"

namespace todoku::api {
namespace {

void coverage_members(http::JsonWriter& json, const doctor::PreflightCoverage& coverage) {
  json.key("coverage");
  json.begin_object();
  json.member("recipients", coverage.recipients);
  json.member("domains_asked", coverage.domains_asked);
  json.member("smaller_domains_asked", coverage.smaller_domains_asked);
  json.member("domains_answered", coverage.domains_answered);
  json.member("recipients_asked", coverage.recipients_asked);
  json.member("domains_of_sample", coverage.domains_of_sample);
  json.member("sampled", coverage.sampled);
  json.member("composed", coverage.composed);
  json.end_object();
}

std::string report_json(const doctor::PreflightReport& report, store::PublicId delivery,
                        const Call& call, bool with_content) {
  http::JsonWriter json;
  json.begin_object();
  json.member("delivery_id", delivery);
  json.member("outcome", doctor::to_string(doctor::worst_of(report.findings)));
  json.member("mode", to_string(call.account.preflight));
  json.member("breaks_bulk_rules", !report.broken_bulk_rules().empty());
  coverage_members(json, report.coverage);
  add_findings(json, report.findings, with_content, call.language);
  json.end_object();
  return json.take();
}

Task<http::Response> preflight(Api& api, Call& call) {
  const auto id = path_id(call, "delivery_id");
  if (!id || api.preflight() == nullptr) co_return no_data_found(call);
  const auto place = api.message_places().take(call.account.key);
  if (!place) {
    co_return refused(503, intake::texts::busy("too many messages are being made"), call.language);
  }
  const bool with_content = has(call.scopes, store::Scope::content);
  if (with_content) {
    auto unnoted = co_await note_view(api, call, {.what = "content", .delivery = *id});
    if (unnoted) co_return std::move(*unnoted);
  }
  const auto report = co_await api.preflight()->judge(
      call.account.key, *id,
      {.within = kPreflightWithin, .asks_anyway = true, .asks_nobody = call.account.sandbox});
  if (!report) co_return not_composed(report.error(), call.language);
  auto response = http::Response::json(200, report_json(*report, *id, call, with_content));
  if (!with_content) response.headers.set(kWithheldHeader, "subject, sentence, found");
  co_return response;
}

}  // namespace

Task<CommitPreflight> preflight_commit(Api& api, Call& call, store::PublicId id,
                                       PreflightStart start) {
  CommitPreflight result;
  // Of an account for trials nothing is asked of the DNS.
  if (call.account.sandbox) co_return result;
  const PreflightMode mode = call.account.preflight;
  if (mode == PreflightMode::off || api.preflight() == nullptr) co_return result;
  const auto place = api.message_places().take(call.account.key);
  if (!place) {
    result.header = doctor::to_string(doctor::Outcome::not_determined);
    co_return result;
  }
  const Milliseconds within =
      mode == PreflightMode::enforce ? kPreflightWithinOfEnforce : kPreflightWithinOfWarn;
  const auto report = co_await api.preflight()->judge(
      call.account.key, id, {.within = within, .asks_anyway = false, .start = std::move(start)});
  // What is wrong with the delivery itself the commit says.
  if (!report) co_return result;
  std::size_t told = 0;
  result.header = doctor::to_string(doctor::worst_of(report->findings));
  for (const doctor::Finding& finding : report->findings) {
    if (finding.outcome == doctor::Outcome::pass || told == kPreflightCodesMax) continue;
    if (result.header.contains(finding.code)) continue;
    result.header += fmt::format("{} {}", told == 0 ? ";" : ",", finding.code);
    ++told;
  }
  if (mode != PreflightMode::enforce) co_return result;
  auto reasons = doctor::refusal_reasons(*report);
  if (reasons.empty()) co_return result;
  intake::Refusal refusal{ErrorKind::invalid_input, {}};
  for (doctor::RefusalReason& reason : reasons) {
    refusal.problems.add({"preflight", std::string(reason.code)}, std::move(reason.text));
  }
  result.refusal = std::move(refusal);
  co_return result;
}

void add_preflight_routes(Api& api, http::Router& router) {
  api.add(router, http::Method::post, "/deliveries/{delivery_id}/preflight", kRead, &preflight);
}

}  // namespace todoku::api
