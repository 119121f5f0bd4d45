// SPDX-License-Identifier: Apache-2.0
#include "cli/judgement.h"

#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/printable.h"
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

// Of what the findings below it are (doctor/preflight_texts.h).
Sentence word_of_kind(std::string_view kind) {
  if (kind == "authentication") return {kind, "認証"};
  if (kind == "unsubscribe") return {kind, "配信停止"};
  if (kind == "header") return {kind, "ヘッダー"};
  if (kind == "body") return {kind, "本文"};
  if (kind == "audience") return {kind, "宛先"};
  if (kind == "law") return {kind, "法令"};
  return {kind, kind};
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

}  // namespace

void print_judgement(Session& session, const boost::json::value& report) {
  std::string kind;
  for (const auto& finding : list_of(report, "findings")) {
    if (const std::string its = text_of(finding, "kind"); its != kind) {
      kind = its;
      fmt::print(session.out(), "{}\n", word_of_kind(kind).in(session.language()));
    }
    print_judged(session, finding);
  }
}

int status_of_judgement(const boost::json::value& report) {
  const std::string outcome = text_of(report, "outcome");
  if (outcome == doctor::to_string(doctor::Outcome::fail)) return 1;
  return outcome == doctor::to_string(doctor::Outcome::not_determined) ? 2 : 0;
}

}  // namespace todoku::cli
