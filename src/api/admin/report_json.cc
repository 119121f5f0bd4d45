// SPDX-License-Identifier: Apache-2.0
#include "api/admin/report_json.h"

#include <string_view>

#include "base/date_time.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

using http::JsonWriter;
using operate::DmarcSums;
using operate::ImportedReport;

std::string_view word_of(ImportedReport::Outcome outcome) {
  switch (outcome) {
    case ImportedReport::Outcome::added:
      return "added";
    case ImportedReport::Outcome::repeated:
      return "repeated";
    case ImportedReport::Outcome::refused:
      return "refused";
  }
  return "";
}

void add_report(JsonWriter& json, const ImportedReport& report) {
  json.begin_object();
  json.member("name", report.name);
  json.member("outcome", word_of(report.outcome));
  if (report.outcome == ImportedReport::Outcome::refused) {
    json.member("reason", report.why.en);
    json.member("reason_ja", report.why.ja);
  }
  if (!report.kind.empty()) {
    json.member("kind", report.kind);
    json.member("organization", report.organization);
    json.member("report_id", report.report_id);
    json.member("domain", report.domain);
    json.member("begin", format_utc(report.begin));
    json.member("end", format_utc(report.end));
    json.member("messages", report.messages);
  }
  if (!report.account.empty()) json.member("account", report.account);
  json.end_object();
}

void add_sums(JsonWriter& json, const DmarcSums& sums) {
  json.member("messages", sums.messages);
  json.member("passed", sums.passed);
  json.member("failed", sums.failed());
  json.member("dkim_aligned", sums.dkim_aligned);
  json.member("spf_aligned", sums.spf_aligned);
  json.member("quarantined", sums.quarantined);
  json.member("rejected", sums.rejected);
  json.member("excepted", sums.excepted);
}

void add_named_sums(JsonWriter& json, std::string_view name, const DmarcSums& sums) {
  json.key(name);
  json.begin_object();
  add_sums(json, sums);
  json.end_object();
}

void add_names(JsonWriter& json, std::string_view name, const std::set<std::string>& names) {
  json.key(name);
  json.begin_array();
  for (const std::string& each : names) json.value(each);
  json.end_array();
}

void add_source(JsonWriter& json, const operate::ReportedSource& source) {
  json.begin_object();
  json.member("source_ip", source.source);
  json.member("network", source.network);
  json.member("ours", source.is_ours);
  json.member("relays_ours", source.relays_ours);
  add_sums(json, source.sums);
  add_names(json, "header_from", source.header_from);
  add_names(json, "authenticated", source.authenticated);
  json.member("first_day", operate::day_text(source.first_day));
  json.member("last_day", operate::day_text(source.last_day));
  json.end_object();
}

void add_day(JsonWriter& json, const operate::ReportedDay& day) {
  json.begin_object();
  json.member("day", operate::day_text(day.day));
  json.member("messages", day.sums.messages);
  json.member("passed", day.sums.passed);
  json.member("ours", day.ours.messages);
  json.member("ours_passed", day.ours.passed);
  json.member("tls_successful", day.tls_successful);
  json.member("tls_failed", day.tls_failed);
  json.end_object();
}

void add_tls(JsonWriter& json, const operate::ReportOverview& overview) {
  json.key("tls");
  json.begin_object();
  json.member("successful", overview.tls_successful);
  json.member("failed", overview.tls_failed);
  json.key("failures");
  json.begin_array();
  for (const operate::TlsFailing& failing : overview.tls_failures) {
    json.begin_object();
    json.member("domain", failing.what.domain);
    json.member("policy", failing.what.policy);
    json.member("result", failing.what.result);
    json.member("receiving_mx", failing.what.receiving_mx);
    json.member("sessions", failing.sessions);
    json.end_object();
  }
  json.end_array();
  json.end_object();
}

void add_findings(JsonWriter& json, const std::vector<doctor::Finding>& findings) {
  json.key("findings");
  json.begin_array();
  for (const doctor::Finding& finding : findings) {
    json.begin_object();
    json.member("code", finding.code);
    json.member("outcome", doctor::to_string(finding.outcome));
    json.member("sentence", finding.sentence.en);
    json.member("sentence_ja", finding.sentence.ja);
    json.member("advice", finding.advice.en);
    json.member("advice_ja", finding.advice.ja);
    json.end_object();
  }
  json.end_array();
}

}  // namespace

std::string imported_reports_json(const operate::ImportedReports& told) {
  JsonWriter json;
  json.begin_object();
  using enum ImportedReport::Outcome;
  for (const auto outcome : {added, repeated, refused}) {
    json.member(word_of(outcome), told.count(outcome));
  }
  json.key("reports");
  json.begin_array();
  for (const ImportedReport& report : told.reports) add_report(json, report);
  json.end_array();
  json.end_object();
  return json.take();
}

std::string report_overview_json(const operate::ReportOverview& overview) {
  JsonWriter json;
  json.begin_object();
  json.member("account", overview.account);
  json.member("domain", overview.domain);
  json.member("first_day", operate::day_text(overview.first_day));
  json.member("last_day", operate::day_text(overview.last_day));
  json.member("reports", overview.reports);
  json.key("reporters");
  json.begin_array();
  for (const auto& [name, reports] : overview.reporters) {
    json.begin_object();
    json.member("organization", name);
    json.member("reports", reports);
    json.end_object();
  }
  json.end_array();
  json.member("policy", overview.policy);
  add_named_sums(json, "dmarc", overview.sums);
  add_named_sums(json, "ours", overview.ours);
  json.key("days");
  json.begin_array();
  for (const operate::ReportedDay& day : overview.days) add_day(json, day);
  json.end_array();
  json.key("sources");
  json.begin_array();
  for (const operate::ReportedSource& source : overview.sources) add_source(json, source);
  json.end_array();
  json.member("sources_more", overview.sources_more);
  add_named_sums(json, "others", overview.others);
  add_tls(json, overview);
  add_findings(json, overview.findings);
  json.end_object();
  return json.take();
}

}  // namespace todoku::api::admin
