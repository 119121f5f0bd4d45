// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight_refusal.h"

#include <algorithm>
#include <string>

namespace todoku::doctor {
namespace {

// Facts from outside may end a sentence, and have no full stop.
void add_sentence(std::string& text, std::string_view sentence, Language language) {
  if (sentence.empty()) return;
  const bool ja = language == Language::japanese;
  if (!text.empty() && !ja) text += ' ';
  text += sentence;
  if (!sentence.ends_with('.') && !sentence.ends_with("。")) text += ja ? "。" : ".";
}

std::string text_of(const std::vector<const Finding*>& found, Language language) {
  std::string text;
  for (const Finding* each : found) add_sentence(text, each->sentence.in(language), language);
  add_sentence(text, found.front()->why.in(language), language);
  add_sentence(text, found.front()->advice.in(language), language);
  return text;
}

}  // namespace

std::vector<RefusalReason> refusal_reasons(const PreflightReport& report) {
  std::vector<RefusalReason> reasons;
  for (const std::string_view code : report.broken_bulk_rules()) {
    const auto told = std::ranges::find(reasons, code, &RefusalReason::code);
    if (told != reasons.end()) continue;
    std::vector<const Finding*> found;
    for (const Finding& finding : report.findings) {
      if (finding.code == code && finding.outcome == Outcome::fail) found.push_back(&finding);
    }
    reasons.push_back(
        {code, {text_of(found, Language::english), text_of(found, Language::japanese)}});
  }
  return reasons;
}

}  // namespace todoku::doctor
