// SPDX-License-Identifier: Apache-2.0
// todoku deliveries preflight ID
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/sender_commands.h"
#include "doctor/finding.h"

namespace todoku::cli {
namespace {

Sentence word_of_outcome(std::string_view outcome) {
  for (const auto each : {doctor::Outcome::pass, doctor::Outcome::warning, doctor::Outcome::fail,
                          doctor::Outcome::not_determined}) {
    if (doctor::to_string(each) == outcome) return doctor::word_of(each);
  }
  return {outcome, outcome};
}

void print_part(Session& session, const Sentence& title, const std::string& text) {
  if (text.empty()) return;
  fmt::print(session.out(), "      {}: {}\n", session.words(title), printable(text));
}

void print_judged(Session& session, const boost::json::value& finding) {
  const std::string outcome = text_of(finding, "outcome");
  fmt::print(session.out(), "  [{}] {}\n", session.words(word_of_outcome(outcome)),
             printable(text_of(finding, "sentence")));
  if (outcome == doctor::to_string(doctor::Outcome::pass)) return;
  print_part(session, {"why", "理由"}, text_of(finding, "why"));
  std::string names;
  for (const auto& receiver : list_of(finding, "minded_by")) {
    if (!receiver.is_string()) continue;
    names +=
        fmt::format("{}{}", names.empty() ? "" : ", ", std::string_view(receiver.get_string()));
  }
  print_part(session, {"who minds", "影響する受信側"}, names);
  print_part(session, {"found", "現状"}, text_of(finding, "found"));
  print_part(session, {"expected", "あるべき値"}, text_of(finding, "expected"));
  print_part(session, {"do", "対処"}, text_of(finding, "advice"));
}

void print_report(ApiSession& api, const boost::json::value& report) {
  Session& session = api.session();
  std::string kind;
  for (const auto& finding : list_of(report, "findings")) {
    if (const std::string its = text_of(finding, "kind"); its != kind) {
      kind = its;
      fmt::print(session.out(), "{}\n", kind);
    }
    print_judged(session, finding);
  }
  const auto* object = report.if_object();
  const auto* coverage = object == nullptr ? nullptr : object->if_contains("coverage");
  if (coverage == nullptr) return;
  session.say({"{} of {} domains answered; {} recipients looked at, {} mails composed",
               "ドメイン {1} 個中 {0} 個を確認、宛先 {2} 件を調査、メール {3} 通を作成"},
              number_of(*coverage, "domains_answered"), number_of(*coverage, "domains_asked"),
              number_of(*coverage, "sampled"), number_of(*coverage, "composed"));
}

}  // namespace

int preflight_delivery(Session& session, std::int64_t delivery) {
  ApiSession api(session);
  const auto read = api.ask({.method = "POST",
                             .target = fmt::format("/deliveries/{}/preflight", delivery),
                             .answered_with = "delivery_id"});
  if (read == nullptr) return api.status();
  if (api.json()) {
    api.print_json(*read);
  } else {
    print_report(api, read->value);
  }
  const std::string outcome = text_of(read->value, "outcome");
  if (outcome == doctor::to_string(doctor::Outcome::fail)) return 1;
  return outcome == doctor::to_string(doctor::Outcome::not_determined) ? 2 : 0;
}

}  // namespace todoku::cli
