// SPDX-License-Identifier: Apache-2.0
#include "store/domain_reports.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/printable.h"
#include "base/utf8.h"
#include "store/codec.h"

namespace todoku::store {
namespace {

// words = octet kind, octet flags (of DMARC), texts
constexpr std::uint8_t kDkimAligned = 1;
constexpr std::uint8_t kSpfAligned = 2;
constexpr std::uint8_t kExcepted = 4;
constexpr std::size_t kIdOctets = 16;
constexpr std::int64_t kDayMs = 86'400'000;

// Cut where a character begins; what is no UTF-8 and what would move a terminal goes.
std::string kept_text(std::string_view text, std::size_t octets_max) {
  std::string kept;
  while (!text.empty()) {
    const CodePoint point = decode_utf8(text);
    const std::size_t octets = point.octets == 0 ? 1 : point.octets;
    if (kept.size() + octets > octets_max) break;
    if (point.octets != 0 && !is_misleading(point.value)) kept += text.substr(0, octets);
    text.remove_prefix(octets);
  }
  return kept;
}

void put_name(std::string& out, std::string_view name) {
  put_text(out, kept_text(name, kReportNameMax));
}
void put_word(std::string& out, std::string_view word) {
  put_text(out, kept_text(word, kReportWordMax));
}

std::unexpected<Error> no_such_line() {
  return fail(ErrorKind::corrupt, "a line of a domain's reports cannot be read");
}

// The line that takes in `words` where there is no room for its own.
std::string without_names(std::string_view words) {
  const auto kind = kind_of_line(words);
  if (kind && *kind == ReportKind::tls) {
    const auto line = unpack_tls_line(words);
    TlsLine many;
    if (line && !line->result.empty()) many.result = "other";
    return pack_line(many);
  }
  const auto line = unpack_dmarc_line(words);
  DmarcLine many;
  if (line) {
    many.disposition = line->disposition;
    many.dkim_aligned = line->dkim_aligned;
    many.spf_aligned = line->spf_aligned;
  }
  // Whoever reports may write any word: of those that mean something there are few.
  if (many.disposition != "quarantine" && many.disposition != "reject") many.disposition = "none";
  return pack_line(many);
}

bool is_larger(const ReportLine& a, const ReportLine& b) {
  const auto of = [](const ReportLine& line) { return report_sum(line.messages, line.failed); };
  return of(a) != of(b) ? of(a) > of(b) : a.words < b.words;
}

}  // namespace

std::string pack_line(const DmarcLine& line) {
  std::string out(1, static_cast<char>(ReportKind::dmarc));
  out += static_cast<char>((line.dkim_aligned ? kDkimAligned : 0) |
                           (line.spf_aligned ? kSpfAligned : 0) | (line.excepted ? kExcepted : 0));
  put_word(out, line.source);
  put_name(out, line.header_from);
  put_word(out, line.disposition);
  put_name(out, line.dkim_domain);
  put_word(out, line.dkim_selector);
  put_word(out, line.dkim_result);
  put_name(out, line.spf_domain);
  put_word(out, line.spf_result);
  return out;
}

std::string pack_line(const TlsLine& line) {
  std::string out(1, static_cast<char>(ReportKind::tls));
  put_name(out, line.domain);
  put_word(out, line.policy);
  put_word(out, line.result);
  put_name(out, line.receiving_mx);
  return out;
}

Result<ReportKind> kind_of_line(std::string_view words) {
  if (words.starts_with(static_cast<char>(ReportKind::dmarc))) return ReportKind::dmarc;
  if (words.starts_with(static_cast<char>(ReportKind::tls))) return ReportKind::tls;
  return no_such_line();
}

Result<DmarcLine> unpack_dmarc_line(std::string_view words) {
  BlobReader reader(words);
  const std::uint8_t kind = reader.octet();
  const std::uint8_t flags = reader.octet();
  DmarcLine line;
  line.dkim_aligned = (flags & kDkimAligned) != 0;
  line.spf_aligned = (flags & kSpfAligned) != 0;
  line.excepted = (flags & kExcepted) != 0;
  for (std::string* const text :
       {&line.source, &line.header_from, &line.disposition, &line.dkim_domain, &line.dkim_selector,
        &line.dkim_result, &line.spf_domain, &line.spf_result}) {
    *text = reader.text();
  }
  if (reader.failed() || kind != static_cast<std::uint8_t>(ReportKind::dmarc)) {
    return no_such_line();
  }
  return line;
}

Result<TlsLine> unpack_tls_line(std::string_view words) {
  BlobReader reader(words);
  const std::uint8_t kind = reader.octet();
  TlsLine line;
  for (std::string* const text : {&line.domain, &line.policy, &line.result, &line.receiving_mx}) {
    *text = reader.text();
  }
  if (reader.failed() || kind != static_cast<std::uint8_t>(ReportKind::tls)) return no_such_line();
  return line;
}

std::int64_t report_sum(std::int64_t sum, std::int64_t more) {
  return more >= kReportSumMax - sum ? kReportSumMax : sum + more;
}

std::string report_id_of(ReportKind kind, std::string_view organization, std::string_view report_id,
                         std::string_view domain, Instant begin) {
  std::string all(1, static_cast<char>(kind));
  put_text(all, organization);
  put_text(all, report_id);
  put_text(all, domain);
  put_zigzag(all, to_epoch_ms(begin));
  const Sha256 hash = sha256(all);
  return {reinterpret_cast<const char*>(hash.data()), kIdOctets};
}

std::int64_t report_day_of(Instant begin) {
  const std::int64_t at = to_epoch_ms(begin);
  return at >= 0 ? at / kDayMs : (at - kDayMs + 1) / kDayMs;
}

std::vector<ReportLine> within_lines_max(const std::vector<std::string>& known,
                                         std::span<const ReportLine> lines) {
  std::set<std::string_view> there(known.begin(), known.end());
  std::vector<ReportLine> sorted(lines.begin(), lines.end());
  std::ranges::sort(sorted, is_larger);
  std::map<std::string, ReportLine> sums;
  for (const ReportLine& line : sorted) {
    const bool fits = there.contains(line.words) || there.size() < kReportLinesMax;
    if (fits) there.insert(line.words);
    const std::string words = fits ? line.words : without_names(line.words);
    ReportLine& sum = sums[words];
    sum.words = words;
    sum.messages = report_sum(sum.messages, line.messages);
    sum.failed = report_sum(sum.failed, line.failed);
  }
  std::vector<ReportLine> kept;
  kept.reserve(sums.size());
  for (auto& [words, sum] : sums) kept.push_back(std::move(sum));
  return kept;
}

std::unexpected<Error> too_many_reports() {
  return fail(ErrorKind::limit_exceeded,
              fmt::format("a domain has at most {} reports of a day", kReportsOfDayMax));
}

Result<void> check_sound(const DomainReport& report, std::span<const ReportLine> lines) {
  if (report.id.size() != kIdOctets || report.domain.empty()) {
    return fail(ErrorKind::invalid_input, "a report has no id or no domain");
  }
  for (const ReportLine& line : lines) {
    if (kind_of_line(line.words) && line.messages >= 0 && line.failed >= 0 &&
        line.messages <= kReportSumMax && line.failed <= kReportSumMax) {
      continue;
    }
    return fail(ErrorKind::invalid_input, "a line of a report is none, or counts below 0");
  }
  return {};
}

}  // namespace todoku::store
