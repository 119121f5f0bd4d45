// SPDX-License-Identifier: Apache-2.0
#include "events/exports/sheet.h"

#include <fmt/format.h>

#include "intake/csv.h"

namespace todoku::events::exports {
namespace {

constexpr std::size_t kPieceOctets = std::size_t{256} * 1024;

}  // namespace

void Sheet::add(std::initializer_list<std::string_view> cells) {
  if (pieces_.empty() || pieces_.back().size() >= kPieceOctets) pieces_.emplace_back();
  std::string& piece = pieces_.back();
  const std::size_t before = piece.size();
  bool first = true;
  for (const std::string_view cell : cells) {
    if (!std::exchange(first, false)) piece += ',';
    intake::append_csv_field(piece, cell);
  }
  piece += "\r\n";
  octets_ += piece.size() - before;
}

void Sheet::header(std::initializer_list<std::string_view> names) {
  add(names);
}

Result<void> Sheet::row(std::initializer_list<std::string_view> cells) {
  if (octets_ > octets_max_) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("an export has {} MiB at most", octets_max_ >> 20U));
  }
  add(cells);
  ++rows_;
  return {};
}

Result<void> Sheet::at(std::int32_t percentage) {
  if (told_ && !told_(percentage)) return fail(ErrorKind::cancelled, "nobody waits for it");
  return {};
}

}  // namespace todoku::events::exports
