// SPDX-License-Identifier: Apache-2.0
#include "intake/error_files.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "intake/zip.h"

namespace todoku::intake {
namespace {

constexpr std::size_t kCsvPieceOctets = 256 * 1024;

Result<std::vector<std::string>> read_pieces(Uploads::Reader& reader) {
  std::vector<std::string> pieces;
  while (true) {
    std::string piece(kCsvPieceOctets, '\0');
    const auto got = reader.read(piece);
    if (!got) return fail(got.error());
    if (*got == 0) return pieces;
    piece.resize(*got);
    pieces.push_back(std::move(piece));
  }
}

// Of an earlier version, whose CSV is gone afterwards.
Result<void> make_archive(Uploads& uploads, std::string_view csv, const ErrorsOf& of) {
  const auto reader = uploads.open(csv);
  if (!reader) return fail(reader.error());
  const auto pieces = read_pieces(**reader);
  if (!pieces) return fail(pieces.error());
  auto kept = keep_errors(uploads, of.account, of.job, *pieces);
  if (kept) uploads.remove(csv);
  return kept;
}

}  // namespace

Result<void> keep_errors(Uploads& uploads, store::AccountKey account, store::PublicId job,
                         std::span<const std::string> csv) {
  const auto writer = uploads.create(errors_name(account, job));
  if (!writer) return fail(writer.error());
  auto written = write_zip(csv, fmt::format("import_errors_{}.csv", job), **writer);
  if (!written) return written;
  return (*writer)->keep();
}

Result<std::unique_ptr<Uploads::Reader>> open_errors(Uploads& uploads, std::string_view errors) {
  const auto of = errors_named(errors);
  const std::string archive = of ? errors_name(of->account, of->job) : std::string(errors);
  auto opened = uploads.open(archive);
  if (opened || opened.error().kind != ErrorKind::not_found || archive == errors) return opened;
  auto made = make_archive(uploads, errors, *of);
  // Without the CSV another call may just have made it.
  if (!made && made.error().kind != ErrorKind::not_found) return fail(std::move(made.error()));
  return uploads.open(archive);
}

void remove_errors(Uploads& uploads, std::string_view errors) {
  uploads.remove(errors);
  if (const auto of = errors_named(errors)) uploads.remove(errors_name(of->account, of->job));
}

}  // namespace todoku::intake
