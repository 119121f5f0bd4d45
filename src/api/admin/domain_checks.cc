// SPDX-License-Identifier: Apache-2.0
#include "api/admin/domain_checks.h"

#include <string>
#include <string_view>

#include "api/admin/failures.h"
#include "api/admin/shown_time.h"
#include "doctor/domain_records.h"
#include "http/json.h"

namespace todoku::api::admin {
namespace {

using http::JsonWriter;
using http::Response;
using operate::Given;
using operate::Operations;

void add_kept_finding(JsonWriter& json, const operate::DomainFinding& finding) {
  json.member("code", finding.code);
  json.member("outcome", finding.outcome);
  json.member("subject", finding.subject);
  json.member("sentence", finding.sentence.en);
  json.member("sentence_ja", finding.sentence.ja);
}

void add_domain_record(JsonWriter& json, const operate::DomainRecord& record) {
  json.begin_object();
  json.member("name", record.name);
  json.member("type", record.type);
  json.member("state", to_string(record.state));
  json.member("purpose", record.purpose.en);
  json.member("purpose_ja", record.purpose.ja);
  json.member("optional", record.is_optional);
  json.member("later", record.is_for_later);
  json.member("elsewhere", record.is_elsewhere);
  if (record.problem.en.empty()) {
    const doctor::WantedRecord wanted{
        .name = record.name, .type = record.type, .value = record.value, .purpose = {}};
    json.member("value", record.value);
    json.member("zone_entry", wanted.zone_entry());
  } else {
    json.member("problem", record.problem.en);
    json.member("problem_ja", record.problem.ja);
  }
  json.end_object();
}

std::string_view history_outcome(const operate::DomainHistory& history) {
  if (history.fails()) return "fail";
  if (!history.checked || !history.is_determined) return "not_determined";
  return history.faults.empty() ? "pass" : "warning";
}

std::string domain_history_json(const operate::DomainHistoryView& view) {
  const operate::DomainHistory& history = view.history;
  JsonWriter json;
  json.begin_object();
  json.member("account", view.account);
  json.member("domain", view.domain);
  add_shown_time(json, "checked", history.checked);
  add_shown_time(json, "next", view.next);
  if (!view.not_checked.empty()) json.member("not_checked", view.not_checked);
  json.member("determined", history.is_determined);
  json.member("outcome", history_outcome(history));
  json.key("faults");
  json.begin_array();
  for (const operate::DomainFault& fault : history.faults) {
    json.begin_object();
    add_kept_finding(json, fault.finding);
    add_shown_time(json, "since", fault.since);
    json.end_object();
  }
  json.end_array();
  json.key("changes");
  json.begin_array();
  for (const operate::DomainChange& change : history.changes) {
    json.begin_object();
    add_shown_time(json, "at", change.at);
    json.member("change", change.is_fault ? "broken" : "whole");
    add_kept_finding(json, change.finding);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return json.take();
}

std::string domain_records_json(const operate::DomainRecordsView& view) {
  JsonWriter json;
  json.begin_object();
  json.member("account", view.account);
  json.member("domain", view.domain);
  add_shown_time(json, "checked", view.checked);
  json.member("has_keys", view.has_keys);
  json.key("unknown_sources");
  json.begin_array();
  for (const std::string& source : view.unknown_sources) json.value(source);
  json.end_array();
  json.key("records");
  json.begin_array();
  for (const operate::DomainRecord& record : view.records) add_domain_record(json, record);
  json.end_array();
  json.end_object();
  return json.take();
}

}  // namespace

Task<Response> domain_history(Operations& operations, Given given) {
  const auto history =
      co_await operations.domain_history(given.text("account"), given.text("domain"));
  co_return history ? Response::json(200, domain_history_json(*history)) : failure(history.error());
}

Task<Response> domain_records(Operations& operations, Given given) {
  const auto records =
      co_await operations.domain_records(given.text("account"), given.text("domain"));
  co_return records ? Response::json(200, domain_records_json(*records)) : failure(records.error());
}

Task<Response> make_domain_keys(Operations& operations, Given given) {
  const auto made =
      co_await operations.make_domain_keys(given.text("account"), given.text("domain"));
  co_return made ? Response::json(201, domain_records_json(*made)) : failure(made.error());
}

}  // namespace todoku::api::admin
