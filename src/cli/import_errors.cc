// SPDX-License-Identifier: Apache-2.0
#include "cli/import_errors.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/printable.h"
#include "feedback/reports/report_file.h"

namespace todoku::cli {
namespace {

// Of the archive; the API keeps up to 32 MiB of rows.
constexpr std::size_t kErrorsOctetsMax = std::size_t{48} << 20U;

// The next cell of what is left, which begins behind its comma or line end then; `ends_row`:
// it was the last of its row.
std::string next_cell(std::string_view& csv, bool& ends_row) {
  std::string cell;
  bool is_quoted = csv.starts_with('"');
  std::size_t at = is_quoted ? 1 : 0;
  for (; at < csv.size(); ++at) {
    const char c = csv[at];
    if (is_quoted && c == '"') {
      is_quoted = at + 1 < csv.size() && csv[at + 1] == '"';
      if (!is_quoted) continue;
      ++at;
    } else if (!is_quoted && (c == ',' || c == '\n')) {
      break;
    } else if (!is_quoted && c == '\r') {
      continue;
    }
    cell += c;
  }
  ends_row = at >= csv.size() || csv[at] == '\n';
  csv.remove_prefix(std::min(at + 1, csv.size()));
  return cell;
}

}  // namespace

std::vector<std::string> first_cells(std::string_view csv, std::size_t most) {
  std::vector<std::string> cells;
  bool is_header = true;
  while (!csv.empty() && cells.size() < most) {
    bool ends_row = false;
    std::string first = next_cell(csv, ends_row);
    while (!ends_row) (void)next_cell(csv, ends_row);
    if (!is_header) cells.push_back(std::move(first));
    is_header = false;
  }
  return cells;
}

std::vector<std::string> import_errors(ApiSession& api, std::int64_t job, std::size_t most) {
  const auto read =
      api.exchange({.target = fmt::format("/deliveries/-/emails/import/{}/errorinfo/download", job),
                    .answered_in_zip = true,
                    .answer_max = kErrorsOctetsMax});
  if (!read) return {};
  const auto csv = feedback::reports::csv_in_zip((*read)->answer.body);
  if (!csv) return {};
  std::vector<std::string> errors = first_cells(*csv, most);
  for (std::string& error : errors) error = printable(error);
  return errors;
}

}  // namespace todoku::cli
