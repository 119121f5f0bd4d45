// SPDX-License-Identifier: Apache-2.0
// A report as receivers send it: XML (DMARC) or JSON (TLS), in gzip or in a zip with one file, or
// as it is (RFC 7489 section 7.2.1.1, RFC 8460 section 5.3).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace todoku::feedback::reports {

inline constexpr std::size_t kReportOctetsMax = std::size_t{16} << 20U;
// Of what it expands to. The largest that large receivers send are some megabytes.
inline constexpr std::size_t kExpandedOctetsMax = std::size_t{64} << 20U;

struct ReportFile {
  enum class Kind : std::uint8_t { dmarc, tls };
  Kind kind = Kind::dmarc;
  std::string text;  // XML or JSON, by the first octet that is no white space
};

// Errors: limit_exceeded (kReportOctetsMax, kExpandedOctetsMax), invalid_input (neither form, an
// archive with no report or with several), corrupt (an archive that is cut or broken).
[[nodiscard]] Result<ReportFile> open_report(std::string_view octets);

// The one .csv of a zip, such as todoku's API gives of the rows that an import refused. Errors:
// limit_exceeded (kExpandedOctetsMax), invalid_input (none, or several), corrupt.
[[nodiscard]] Result<std::string> csv_in_zip(std::string_view octets);

}  // namespace todoku::feedback::reports
