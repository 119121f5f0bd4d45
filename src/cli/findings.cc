// SPDX-License-Identifier: Apache-2.0
#include "cli/findings.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/printable_stream.h"
#include "doctor/reason_words.h"

namespace todoku::cli {
namespace {

using doctor::Finding;
using doctor::Outcome;

// The facts, or why there are none.
std::string found_in(const Finding& finding, Language language) {
  return language == Language::japanese ? doctor::reason_in_japanese(finding.found) : finding.found;
}

boost::json::object finding_json(const Finding& finding, Language language) {
  boost::json::array minded_by;
  for (const doctor::Receiver receiver : finding.minded_by.list()) {
    minded_by.emplace_back(doctor::to_string(receiver));
  }
  return {{"code", finding.code},
          {"outcome", doctor::to_string(finding.outcome)},
          {"subject", finding.subject},
          {"sentence", finding.sentence.in(language)},
          {"why", finding.why.in(language)},
          {"minded_by", std::move(minded_by)},
          {"found", found_in(finding, language)},
          {"expected", finding.expected},
          {"paste", finding.paste},
          {"advice", finding.advice.in(language)}};
}

// Under the sentence, as far as there is something to say.
void show_part(Session& session, const Sentence& title, std::string_view text) {
  if (text.empty()) return;
  session.out() << fmt::format("      {}: {}\n", session.words(title), text);
}

void show_finding(Session& session, const Finding& finding) {
  const Language language = session.language();
  session.out() << fmt::format("  [{}] {}\n", session.words(doctor::word_of(finding.outcome)),
                               finding.sentence.in(language));
  if (finding.outcome == Outcome::pass) return;
  show_part(session, {"why", "理由"}, finding.why.in(language));
  std::vector<std::string_view> names;
  for (const doctor::Receiver receiver : finding.minded_by.list()) {
    names.push_back(doctor::name_of(receiver).in(language));
  }
  show_part(session, {"who minds", "影響する受信側"}, fmt::format("{}", fmt::join(names, ", ")));
  show_part(session, {"found", "現状"}, found_in(finding, language));
  show_part(session, {"expected", "あるべき値"}, finding.expected);
  show_part(session, {"do", "対処"}, finding.advice.in(language));
  if (!finding.paste.empty()) session.out() << finding.paste;
}

}  // namespace

boost::json::object findings_json(const std::vector<Finding>& findings, Language language) {
  boost::json::array all;
  for (const Finding& finding : findings) all.push_back(finding_json(finding, language));
  return {{"outcome", doctor::to_string(doctor::worst_of(findings))}, {"findings", std::move(all)}};
}

int show_findings(Session& session, const std::vector<Finding>& findings) {
  if (session.common().json) {
    const boost::json::object answer = findings_json(findings, session.language());
    session.out() << printable_json(boost::json::serialize(answer)) << '\n';
    return doctor::exit_status(findings);
  }
  std::string_view subject;
  for (const Finding& finding : findings) {
    if (finding.subject != subject) session.out() << finding.subject << '\n';
    subject = finding.subject;
    show_finding(session, finding);
  }
  const auto count = [&](Outcome outcome) {
    return std::ranges::count(findings, outcome, &Finding::outcome);
  };
  session.say({"{} fail, {} not determined, {} warnings, {} pass",
               "不合格 {} 件、判定不能 {} 件、注意 {} 件、合格 {} 件"},
              count(Outcome::fail), count(Outcome::not_determined), count(Outcome::warning),
              count(Outcome::pass));
  return doctor::exit_status(findings);
}

}  // namespace todoku::cli
