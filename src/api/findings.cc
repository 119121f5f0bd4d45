// SPDX-License-Identifier: Apache-2.0
#include "api/findings.h"

#include <string_view>

#include "api/answers.h"
#include "doctor/preflight_texts.h"
#include "intake/problem.h"

namespace todoku::api {
namespace {

void finding_members(http::JsonWriter& json, const doctor::Finding& finding, bool with_content,
                     Language language) {
  const doctor::PreflightText& text = doctor::preflight_text(finding.code);
  json.begin_object();
  json.member("code", finding.code);
  json.member("kind", doctor::to_string(text.kind));
  json.member("outcome", doctor::to_string(finding.outcome));
  json.member("breaks_bulk_rules",
              text.breaks_bulk_rules && finding.outcome == doctor::Outcome::fail);
  json.member("subject", with_content ? std::string_view(finding.subject) : "");
  json.member("sentence", with_content ? finding.sentence.in(language) : "");
  json.member("why", finding.why.in(language));
  json.key("minded_by");
  json.begin_array();
  for (const doctor::Receiver receiver : finding.minded_by.list()) {
    json.value(doctor::to_string(receiver));
  }
  json.end_array();
  json.member("found", with_content ? std::string_view(finding.found) : "");
  json.member("expected", finding.expected);
  json.member("advice", finding.advice.in(language));
  json.end_object();
}

}  // namespace

void add_findings(http::JsonWriter& json, std::span<const doctor::Finding> findings,
                  bool with_content, Language language) {
  json.key("findings");
  json.begin_array();
  for (const doctor::Finding& finding : findings) {
    finding_members(json, finding, with_content, language);
  }
  json.end_array();
}

http::Response not_composed(const Error& error, Language language) {
  if (error.kind == ErrorKind::unsupported) {
    return refused(410,
                   {"it cannot be composed any more: its content was erased, or a DKIM key that "
                    "signed it is gone.",
                    "本文が消去されたか、署名に使われたDKIM鍵が削除されたため、作成できません。"},
                   language);
  }
  if (error.kind == ErrorKind::conflict) {
    return refused(400, intake::texts::is_as_it_came(), language);
  }
  if (error.kind == ErrorKind::limit_exceeded) {
    return refused(400,
                   {"its insert codes make it larger than a mail may be: none would be made.",
                    "差し込みコードによりメールの上限サイズを超えるため、作成できません。"},
                   language);
  }
  return refused(intake::refusal_of(error), language);
}

}  // namespace todoku::api
