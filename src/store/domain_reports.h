// SPDX-License-Identifier: Apache-2.0
// What receivers reported of mail in a domain's name: DMARC aggregates (RFC 7489 appendix C,
// RFC 9990) and TLS reports (RFC 8460), summed by day. Of each report that was taken there is a
// row, so that one that comes twice counts once; what it said is added to the lines of its day.
//
// A domain of which an account has a proven claim (domains.h) has them; those of domains below it
// lie with it. An account's are its own: who has the domain next gets nothing of them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/keys.h"

namespace todoku::store {

// Of a domain and a day; what comes beyond is summed in lines that name nobody.
inline constexpr std::size_t kReportLinesMax = 500;
inline constexpr std::int64_t kReportsOfDayMax = 2'000;
// Sums end here, where the numbers of JSON's readers do: what is reported may be invented.
inline constexpr std::int64_t kReportSumMax = (std::int64_t{1} << 53) - 1;
inline constexpr std::size_t kReportNameMax =
    253;  // octets of a name in a line; longer ones are cut
inline constexpr std::size_t kReportWordMax = 64;  // of a selector, of a word of a standard

// Stored as these numbers: never renumber.
enum class ReportKind : std::uint8_t { dmarc = 1, tls = 2 };

// Where mail came from in the domain's name, and how it was judged.
struct DmarcLine {
  std::string source;  // IP address; empty: of many, beyond kReportLinesMax
  std::string header_from;
  std::string disposition;  // none, quarantine, reject
  bool dkim_aligned = false;
  bool spf_aligned = false;
  bool excepted = false;  // the receiver made an exception of its policy: forwarded ...
  std::string dkim_domain;
  std::string dkim_selector;
  std::string dkim_result;
  std::string spf_domain;
  std::string spf_result;
  friend bool operator==(const DmarcLine&, const DmarcLine&) = default;
};

// Sessions to the domain's mail servers.
struct TlsLine {
  std::string domain;  // whose policy; empty: of many, beyond kReportLinesMax
  std::string policy;  // sts, tlsa, no-policy-found
  std::string result;  // what failed; empty: all sessions
  std::string receiving_mx;
  friend bool operator==(const TlsLine&, const TlsLine&) = default;
};

// A line with its sums.
struct ReportLine {
  std::string words;          // of what: packed, see below
  std::int64_t messages = 0;  // of TLS: sessions that succeeded
  std::int64_t failed = 0;    // of TLS: sessions that failed; of DMARC 0
};

// Names and words that are too long are cut, and octets that are no text are taken out.
[[nodiscard]] std::string pack_line(const DmarcLine& line);
[[nodiscard]] std::string pack_line(const TlsLine& line);
// corrupt: it was not packed so.
[[nodiscard]] Result<ReportKind> kind_of_line(std::string_view words);
[[nodiscard]] Result<DmarcLine> unpack_dmarc_line(std::string_view words);
[[nodiscard]] Result<TlsLine> unpack_tls_line(std::string_view words);

// Never beyond kReportSumMax.
[[nodiscard]] std::int64_t report_sum(std::int64_t sum, std::int64_t more);

struct DomainReport {
  AccountKey account{};
  std::string domain;    // the claim's
  std::int64_t day = 0;  // since 1970 in UTC, when it begins
  std::string id;        // of the report: what it is told from others by (report_id_of)
  ReportKind kind = ReportKind::dmarc;
  std::string organization;
  std::string reported;  // the domain it is about: `domain` or one below it
  std::string policy;    // of DMARC: "p=none; sp=reject", as the receiver saw it
  Instant begin{};
  Instant end{};
  std::int64_t messages = 0;  // of all its lines; of TLS: sessions
  Instant received{};         // the store's
};

// Reports are told apart by these; some organizations use an id again for another time or domain.
[[nodiscard]] std::string report_id_of(ReportKind kind, std::string_view organization,
                                       std::string_view report_id, std::string_view domain,
                                       Instant begin);
[[nodiscard]] std::int64_t report_day_of(Instant begin);

// A place in a domain's lines, by day and words, or in its reports, by day and id.
struct ReportPlace {
  std::int64_t day = 0;
  std::string after;
};
struct DatedLine {
  std::int64_t day = 0;
  ReportLine line;
};

class DomainReportReads {
 public:
  virtual ~DomainReportReads() = default;
  // In pages: those after `after`, at most `limit`.
  [[nodiscard]] virtual Result<std::vector<DomainReport>> domain_reports(AccountKey account,
                                                                         std::string_view domain,
                                                                         const ReportPlace& after,
                                                                         std::int64_t limit) = 0;
  [[nodiscard]] virtual Result<std::vector<DatedLine>> report_lines(AccountKey account,
                                                                    std::string_view domain,
                                                                    const ReportPlace& after,
                                                                    std::int64_t limit) = 0;
};

class DomainReportWrites {
 public:
  virtual ~DomainReportWrites() = default;
  // From here to the commit nobody else adds to the domain's reports: what is read of them stays
  // true. not_found: the account has no proven claim of it.
  [[nodiscard]] virtual Result<void> hold_domain_reports(AccountKey account,
                                                         std::string_view domain) = 0;
  // `received` is the store's. False: it is there already, and nothing is added. `lines` are of
  // its day, none twice. Holds the domain's reports. limit_exceeded: kReportsOfDayMax.
  [[nodiscard]] virtual Result<bool> add_domain_report(const DomainReport& report,
                                                       std::span<const ReportLine> lines) = 0;
  // Of days before `day`, at most `rows` of each kind. True: there may be more.
  [[nodiscard]] virtual Result<bool> drop_domain_reports(std::int64_t day, std::int64_t rows) = 0;
};

// For back ends: `lines` as they are added where `known` are there: what is beyond kReportLinesMax
// is summed without names, the smallest first.
[[nodiscard]] std::vector<ReportLine> within_lines_max(const std::vector<std::string>& known,
                                                       std::span<const ReportLine> lines);
[[nodiscard]] std::unexpected<Error> too_many_reports();
// What every back end refuses: invalid_input.
[[nodiscard]] Result<void> check_sound(const DomainReport& report,
                                       std::span<const ReportLine> lines);

}  // namespace todoku::store
