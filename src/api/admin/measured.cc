// SPDX-License-Identifier: Apache-2.0
#include "api/admin/measured.h"

#include <chrono>

#include "api/admin/lanes_json.h"
#include "api/admin/probe_json.h"
#include "api/admin/sources_json.h"
#include "api/admin/tls_report_json.h"

namespace todoku::api::admin {
namespace {

using operate::Given;
using operate::Operations;

std::chrono::minutes shown_offset(const Given& given) {
  return std::chrono::minutes(
      given.number("utc_offset_minutes").value_or(operate::ExplainRequest{}.utc_offset_minutes));
}

}  // namespace

Task<Result<std::string>> list_sources(Operations& operations, Given /*given*/) {
  const auto sources = co_await operations.sources();
  if (!sources) co_return fail(sources.error());
  co_return sources_json(*sources);
}

Task<Result<std::string>> list_lanes(Operations& operations, Given given) {
  constexpr std::int64_t kUsual = 100;
  const auto lanes = co_await operations.lanes({.site = given.text("site"),
                                                .source = given.text("source"),
                                                .all = given.truth("all").value_or(false),
                                                .limit = given.number("limit").value_or(kUsual)});
  if (!lanes) co_return fail(lanes.error());
  co_return lanes_json(*lanes, shown_offset(given));
}

Task<Result<std::string>> tls_report(Operations& operations, Given given) {
  constexpr std::int64_t kUsualDays = 7;
  constexpr std::int64_t kUsual = 1'000;
  const auto counts =
      co_await operations.tls_report({.domain = given.text("domain"),
                                      .days = given.number("days").value_or(kUsualDays),
                                      .limit = given.number("limit").value_or(kUsual)});
  if (!counts) co_return fail(counts.error());
  co_return tls_report_json(*counts);
}

Task<Result<std::string>> show_probe_plan(Operations& operations, Given /*given*/) {
  const auto plan = operations.probe_plan();
  if (!plan) co_return fail(plan.error());
  co_return probe_plan_json(*plan);
}

Task<Result<std::string>> ask_probes(Operations& operations, Given given) {
  const auto asked = co_await operations.ask_probes(
      {.mailbox = given.text("mailbox"), .sender = given.text("from")});
  if (!asked) co_return fail(asked.error());
  co_return probes_json(*asked, shown_offset(given));
}

Task<Result<std::string>> list_probes(Operations& operations, Given given) {
  constexpr std::int64_t kUsual = 100;
  const auto probes = co_await operations.probe_history(
      {.mailbox = given.text("mailbox"), .limit = given.number("limit").value_or(kUsual)});
  if (!probes) co_return fail(probes.error());
  co_return probes_json(*probes, shown_offset(given));
}

}  // namespace todoku::api::admin
