// SPDX-License-Identifier: Apache-2.0
#include "feedback/reports/report_file.h"

#include <array>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <zip.h>
#include <zlib.h>

#include "base/bytes.h"

namespace todoku::feedback::reports {
namespace {

constexpr std::size_t kExpandedPieceOctets = std::size_t{64} << 10U;
// Of an archive: a report, and what some systems put beside it.
constexpr zip_int64_t kEntriesMax = 16;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::unexpected<Error> too_large() {
  return fail(ErrorKind::limit_exceeded,
              fmt::format("expands to more than {} octets", kExpandedOctetsMax));
}

// RFC 1952; several members one after the other are one text.
Result<std::string> gunzip(std::string_view octets) {
  z_stream stream{};
  constexpr int kGzipOnly = 16 + MAX_WBITS;
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) {
    return fail(ErrorKind::unavailable, "no memory to expand it");
  }
  const std::unique_ptr<z_stream, int (*)(z_stream*)> ends(&stream, inflateEnd);
  // zlib's interface is older than const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(octets.data()));
  stream.avail_in = static_cast<uInt>(octets.size());
  std::string out;
  std::array<Bytef, kExpandedPieceOctets> piece{};
  while (true) {
    stream.next_out = piece.data();
    stream.avail_out = piece.size();
    const int did = inflate(&stream, Z_NO_FLUSH);
    const std::size_t got = piece.size() - stream.avail_out;
    if (out.size() + got > kExpandedOctetsMax) return too_large();
    out.append(reinterpret_cast<const char*>(piece.data()), got);
    if (did == Z_STREAM_END) {
      // Some pad the file (gzip(1) passes over it, too).
      const std::string_view rest = octets.substr(octets.size() - stream.avail_in);
      if (rest.find_first_not_of(std::string_view("\0\r\n", 3)) == std::string_view::npos)
        return out;
      if (inflateReset(&stream) != Z_OK) break;
      continue;
    }
    if (did != Z_OK || (got == 0 && stream.avail_in == 0)) break;
  }
  return fail(ErrorKind::corrupt, "the gzip is cut or broken");
}

struct ZipCloser {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
struct ZipFileCloser {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

// What archives of macOS hold beside each file.
bool is_of_macos(std::string_view name) {
  const std::string_view base = name.substr(name.rfind('/') + 1);
  return name.starts_with("__MACOSX/") || base.starts_with("._");
}

bool is_report_name(std::string_view name) {
  if (is_of_macos(name)) return false;
  const std::string lower = to_ascii_lower(name);
  return lower.ends_with(".xml") || lower.ends_with(".json");
}

Result<std::string> read_entry(zip_t* archive, zip_uint64_t index) {
  const std::unique_ptr<zip_file_t, ZipFileCloser> file(zip_fopen_index(archive, index, 0));
  if (!file) return fail(ErrorKind::corrupt, "the file in the zip cannot be read");
  std::string out;
  std::array<char, kExpandedPieceOctets> piece{};
  while (true) {
    const zip_int64_t got = zip_fread(file.get(), piece.data(), piece.size());
    if (got < 0) return fail(ErrorKind::corrupt, "the zip is cut or broken");
    if (got == 0) return out;
    if (out.size() + static_cast<std::size_t>(got) > kExpandedOctetsMax) return too_large();
    out.append(piece.data(), static_cast<std::size_t>(got));
  }
}

bool is_csv_name(std::string_view name) {
  return !is_of_macos(name) && to_ascii_lower(name).ends_with(".csv");
}

Result<std::string> unzip(std::string_view octets, bool (*is_wanted)(std::string_view name)) {
  // What mail programs put behind a file.
  while (octets.ends_with('\n') || octets.ends_with('\r')) octets.remove_suffix(1);
  zip_error_t error{};
  zip_source_t* source = zip_source_buffer_create(octets.data(), octets.size(), 0, &error);
  if (source == nullptr) return fail(ErrorKind::unavailable, "no memory to expand it");
  const std::unique_ptr<zip_t, ZipCloser> archive(
      zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error));
  if (!archive) {
    zip_source_free(source);
    return fail(ErrorKind::corrupt, "the zip is cut or broken");
  }
  const zip_int64_t entries = zip_get_num_entries(archive.get(), 0);
  if (entries > kEntriesMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("the zip has {} files, more than {}", entries, kEntriesMax));
  }
  std::optional<zip_uint64_t> report;
  for (zip_int64_t i = 0; i < entries; ++i) {
    const auto index = static_cast<zip_uint64_t>(i);
    const char* const name = zip_get_name(archive.get(), index, ZIP_FL_ENC_RAW);
    if (name == nullptr || !is_wanted(name)) continue;
    if (report) return fail(ErrorKind::invalid_input, "the zip has more than one report");
    report = index;
  }
  if (!report) return fail(ErrorKind::invalid_input, "the zip has no .xml and no .json file");
  return read_entry(archive.get(), *report);
}

}  // namespace

Result<ReportFile> open_report(std::string_view octets) {
  if (octets.size() > kReportOctetsMax) {
    return fail(ErrorKind::limit_exceeded,
                fmt::format("has {} octets, more than {}", octets.size(), kReportOctetsMax));
  }
  Result<std::string> text{};
  if (octets.starts_with("\x1F\x8B")) {
    text = gunzip(octets);
  } else if (octets.starts_with("PK\x03\x04")) {
    text = unzip(octets, is_report_name);
  } else {
    text = std::string(octets);
  }
  if (!text) return fail(std::move(text.error()));
  std::string_view shown = *text;
  if (shown.starts_with(kByteOrderMark)) shown.remove_prefix(kByteOrderMark.size());
  const std::size_t begin = shown.find_first_not_of(" \t\r\n");
  const char first = begin == std::string_view::npos ? '\0' : shown[begin];
  // UTF-16 with its mark, which expat reads.
  const bool is_wide = shown.starts_with("\xFF\xFE") || shown.starts_with("\xFE\xFF");
  if (first == '<' || is_wide) return ReportFile{ReportFile::Kind::dmarc, std::move(*text)};
  if (first == '{') return ReportFile{ReportFile::Kind::tls, std::string(shown)};
  return fail(ErrorKind::invalid_input,
              "is no report: neither XML nor JSON, nor either of them in gzip or a zip");
}

Result<std::string> csv_in_zip(std::string_view octets) {
  auto text = unzip(octets, is_csv_name);
  if (!text && text.error().kind == ErrorKind::invalid_input) {
    return fail(ErrorKind::invalid_input, "the zip has not exactly one .csv file");
  }
  return text;
}

}  // namespace todoku::feedback::reports
