// SPDX-License-Identifier: Apache-2.0
#include "doctor/preflight.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/date_time.h"
#include "doctor/preflight_texts.h"

namespace todoku::doctor {
namespace {

// Of several samples each thing is told once, of the first.
void add_new(std::vector<Finding> found, std::vector<Finding>& findings) {
  for (Finding& finding : found) {
    const bool is_told = std::ranges::any_of(findings, [&](const Finding& each) {
      // The parts of a mail have notices of their own; else one of a kind is enough.
      const bool same_subject = each.subject == finding.subject ||
                                preflight_text(finding.code).kind != PreflightKind::law;
      return each.code == finding.code && same_subject;
    });
    if (!is_told) findings.push_back(std::move(finding));
  }
}

// What is to be typed names the domain that the mail is from.
void name_domain(std::vector<Finding>& findings, const std::vector<std::string>& authors) {
  if (authors.empty()) return;
  constexpr std::string_view kNamed = "DOMAIN`";
  const std::string domain = shown(authors.front()) + '`';
  for (Finding& finding : findings) {
    for (std::string* text : {&finding.advice.en, &finding.advice.ja}) {
      for (std::size_t at = text->find(kNamed); at != std::string::npos;
           at = text->find(kNamed, at + domain.size())) {
        text->replace(at, kNamed.size(), domain);
      }
    }
  }
}

// By what they are about; else they stay as they are.
void put_in_order(std::vector<Finding>& findings) {
  std::vector<Finding> ordered;
  for (int kind = 0; kind <= static_cast<int>(PreflightKind::law); ++kind) {
    for (Finding& finding : findings) {
      if (static_cast<int>(preflight_text(finding.code).kind) == kind) {
        ordered.push_back(finding);
      }
    }
  }
  findings = std::move(ordered);
}

}  // namespace

std::vector<std::string_view> PreflightReport::broken_bulk_rules() const {
  std::vector<std::string_view> codes;
  for (const Finding& finding : findings) {
    if (finding.outcome == Outcome::fail && preflight_text(finding.code).breaks_bulk_rules) {
      codes.push_back(finding.code);
    }
  }
  return codes;
}

namespace {

// Of all samples, and of the insert codes.
std::vector<Finding> findings_of_mails(const PreflightInput& input) {
  const AudienceReceivers receivers = receivers_of(input.audience.domains);
  static const std::vector<CheckedSignature> kNone;
  std::vector<Finding> of_mails;
  for (std::size_t i = 0; i < input.samples.size() && i < input.contents.size(); ++i) {
    const auto& signatures =
        i < input.authentication.signatures.size() ? input.authentication.signatures[i] : kNone;
    add_new(mail_findings(input.samples[i], signatures, input.contents[i], receivers), of_mails);
  }
  add_new(findings_of_not_made(input.not_made), of_mails);
  // "All is well" of one sample is not so where another has a fault.
  const auto has_kind = [&](std::string_view good) {
    const PreflightKind kind = preflight_text(good).kind;
    return std::ranges::any_of(of_mails, [&](const Finding& each) {
      return each.outcome != Outcome::pass && preflight_text(each.code).kind == kind;
    });
  };
  for (const std::string_view good : {"header_in_order", "one_click_ready"}) {
    if (has_kind(good))
      std::erase_if(of_mails, [&](const auto& each) { return each.code == good; });
  }
  std::ranges::move(code_findings(input.missing_codes, input.audience.sampled),
                    std::back_inserter(of_mails));
  return of_mails;
}

}  // namespace

PreflightReport preflight_report(const PreflightInput& input, std::string_view delivery) {
  PreflightReport report{.coverage = input.coverage, .findings = {}};
  report.findings = authentication_findings(input.samples, input.authentication);
  std::ranges::move(findings_of_mails(input), std::back_inserter(report.findings));
  if (input.samples.empty() && input.not_made.empty()) {
    report.findings.push_back(
        preflight_finding("audience_empty", {.subject = std::string(delivery)}));
  }
  std::ranges::move(audience_findings(input.audience), std::back_inserter(report.findings));
  if (const auto& slow = input.slow_pace) {
    report.findings.push_back(
        preflight_finding("pace_too_slow", {.subject = slow->pace,
                                            .first = fmt::format("{}", slow->late),
                                            .second = format_date_time(slow->ends)}));
  }
  name_domain(report.findings, input.authentication.author_domains);
  put_in_order(report.findings);
  return report;
}

PreflightReport lint_report(const PreflightInput& input) {
  PreflightReport report{.coverage = input.coverage, .findings = findings_of_mails(input)};
  put_in_order(report.findings);
  return report;
}

}  // namespace todoku::doctor
