// SPDX-License-Identifier: Apache-2.0
#include "doctor/tls_reports.h"

#include <algorithm>
#include <ranges>
#include <string_view>

#include "base/bytes.h"

namespace todoku::doctor {
namespace {

constexpr std::string_view kTlsReportsVersion = "v=TLSRPTv1";
constexpr Sentence kSeveral{"there is more than one", "複数のレコードがあります"};
constexpr Sentence kWrongVersion{"it does not begin with v=TLSRPTv1;",
                                 "v=TLSRPTv1; で始まっていません"};
constexpr Sentence kNoAddress{"it has no rua=", "rua= がありません"};
constexpr Sentence kNoScheme{"what rua= has begins with neither mailto: nor https:",
                             "rua= の値が mailto: でも https: でも始まっていません"};

bool is_report_uri(std::string_view uri) {
  for (const std::string_view scheme : {"mailto:", "https:"}) {
    if (uri.size() > scheme.size() && equals_ignoring_case(uri.substr(0, scheme.size()), scheme)) {
      return true;
    }
  }
  return false;
}

// Of a version, other text may not follow but after a semicolon.
bool has_version(std::string_view text) {
  return text.starts_with(kTlsReportsVersion) &&
         trim(text.substr(kTlsReportsVersion.size())).starts_with(';');
}

// Not that it is right: that it was meant.
bool is_meant(std::string_view text) {
  std::string low = to_ascii_lower(text);
  std::erase_if(low, [](char c) { return c == ' ' || c == '"' || c == '\\'; });
  return low.contains("v=tlsrpt") || low.starts_with("rua=");
}

Sentence fault_of_reports(std::string_view record) {
  std::string_view addresses;
  bool has_addresses = false;
  for (const auto part : std::views::split(record.substr(kTlsReportsVersion.size()), ';')) {
    const std::string_view tag = trim(std::string_view(part.begin(), part.end()));
    const std::size_t sign = tag.find('=');
    if (sign == tag.npos || trim(tag.substr(0, sign)) != "rua") continue;
    addresses = trim(tag.substr(sign + 1));
    has_addresses = true;
    break;
  }
  if (!has_addresses || addresses.empty()) return kNoAddress;
  for (const auto part : std::views::split(addresses, ',')) {
    if (!is_report_uri(trim(std::string_view(part.begin(), part.end())))) return kNoScheme;
  }
  return {};
}

}  // namespace

TlsReports read_tls_reports(const std::vector<std::string>& texts) {
  TlsReports reports;
  reports.is_there = std::ranges::any_of(texts, is_meant);
  if (!reports.is_there) return reports;
  const auto count = std::ranges::count_if(texts, has_version);
  if (count != 1) {
    reports.fault = count == 0 ? kWrongVersion : kSeveral;
    return reports;
  }
  const std::string& record = *std::ranges::find_if(texts, has_version);
  reports.fault = fault_of_reports(record);
  if (reports.fault.en.empty()) reports.record = record;
  return reports;
}

}  // namespace todoku::doctor
