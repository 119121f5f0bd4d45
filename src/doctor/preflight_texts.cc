// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_texts.h"

#include <algorithm>
#include <vector>

#include <fmt/format.h>

#include "base/check.h"
#include "doctor/preflight_tables.h"
#include "doctor/reason_words.h"

namespace todoku::doctor {

std::string_view to_string(PreflightKind kind) {
  switch (kind) {
    case PreflightKind::authentication:
      return "authentication";
    case PreflightKind::unsubscribe:
      return "unsubscribe";
    case PreflightKind::header:
      return "header";
    case PreflightKind::body:
      return "body";
    case PreflightKind::audience:
      return "audience";
    case PreflightKind::law:
      return "law";
  }
  return "";
}

std::span<const PreflightText> preflight_texts() {
  static const std::vector<PreflightText> all = [] {
    const auto sender = preflight_sender_texts();
    const auto mail = preflight_mail_texts();
    std::vector<PreflightText> texts(sender.begin(), sender.end());
    texts.insert(texts.end(), mail.begin(), mail.end());
    const auto content = preflight_content_texts();
    texts.insert(texts.end(), content.begin(), content.end());
    return texts;
  }();
  return all;
}

const PreflightText& preflight_text(std::string_view code) {
  const auto texts = preflight_texts();
  const auto known = std::ranges::find(texts, code, &PreflightText::code);
  check(known != texts.end(), "the code has its words");
  return *known;
}

Finding preflight_finding(std::string_view code, const PreflightFacts& facts) {
  const PreflightText& text = preflight_text(code);
  const std::string subject = shown(facts.subject);
  const std::string first = shown(facts.first);
  const std::string second = shown(facts.second);
  const auto in_japanese = [](const std::string& said, const std::string& said_ja) {
    return shown(said_ja.empty() ? reason_in_japanese(said) : said_ja);
  };
  const std::string first_ja = in_japanese(facts.first, facts.first_ja);
  const std::string second_ja = in_japanese(facts.second, facts.second_ja);
  const auto say = [&](const Sentence& patterns) -> BilingualText {
    return {.en = fmt::vformat(patterns.en, fmt::make_format_args(subject, first, second)),
            .ja = fmt::vformat(patterns.ja, fmt::make_format_args(subject, first_ja, second_ja))};
  };
  Finding finding;
  finding.code = text.code;
  finding.outcome = text.outcome;
  finding.subject = subject;
  finding.minded_by = text.minded_by;
  finding.sentence = say(text.sentence);
  finding.why = text.why;
  finding.advice = say(text.advice);
  return finding;
}

}  // namespace todoku::doctor
