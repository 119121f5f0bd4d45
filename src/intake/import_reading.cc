// SPDX-License-Identifier: Apache-2.0
// The part of an import that reads: the file into rows, the rows into recipients and errors.
#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/bytes.h"
#include "base/text_encoding.h"
#include "base/utf8.h"
#include "intake/check.h"
#include "intake/check_size.h"
#include "intake/csv.h"
#include "intake/import_run.h"
#include "intake/importer.h"
#include "intake/json_rows.h"
#include "intake/list_header.h"
#include "intake/problem.h"
#include "mail/invisible.h"
#include "mime/text_decoder.h"

namespace todoku::intake {
namespace {

constexpr std::size_t kFileSliceOctets = 256 * 1024;
// Rows a store function stages: a few milliseconds of the writer, so that accepts do not wait long.
constexpr std::size_t kRowsPerWork = 1'000;
// Of the error file, which is in memory until the job ends, and made an archive as a whole; rows
// beyond are only counted.
constexpr std::int64_t kErrorRowsMax = 100'000;
constexpr std::size_t kErrorOctetsMax = std::size_t{32} << 20U;

// Of a file, to guess its encoding from.
constexpr std::size_t kGuessOctets = 4'096;
// Of a row that cannot be taken apart, as much as helps to find it.
constexpr std::size_t kShownRowOctets = 1'000;

// The column that a problem of a row is about.
std::string column_of(const std::vector<std::string>& path,
                      const std::vector<std::string>& header) {
  if (path.size() > 1 && path[0] == "data") return path[1];
  if (path.size() < 2 || path[0] != "insert_code") return path.front();
  std::size_t code = 0;
  const std::string& index = path[1];
  const auto read = std::from_chars(index.data(), index.data() + index.size(), code);
  if (read.ec != std::errc()) return path.front();
  std::size_t before = code;
  for (std::size_t column = 1; column < header.size(); ++column) {
    if (is_attached_column(header[column])) continue;
    if (before-- > 0) continue;
    // A code of NDJSON that has no key has its place.
    return header[column].empty() ? fmt::format("insert_code.{}", code) : header[column];
  }
  return path.front();
}

// What a problem of a column is about, as column_of() reads it.
std::vector<std::string> path_of(std::size_t column, const std::vector<std::string>& header) {
  if (column == 0) return {"email"};
  if (column < header.size() && is_attached_column(header[column])) {
    return {header[column] == kReferenceColumn ? "reference" : "metadata"};
  }
  const auto end = header.begin() + static_cast<std::ptrdiff_t>(std::min(column, header.size()));
  const auto others = std::count_if(header.begin(), end, is_attached_column);
  return {"insert_code", std::to_string(column - 1 - static_cast<std::size_t>(others))};
}

Text at_row(std::uint64_t row, const Text& what) {
  return {fmt::format("row {}: {}", row, what.en), fmt::format("{}行目: {}", row, what.ja)};
}

// What was no character of the encoding that the file has as a whole.
Text not_decodable(mime::TextEncoding encoding) {
  const bool is_shift_jis = encoding == mime::TextEncoding::shift_jis;
  const std::string_view name = is_shift_jis ? "Shift_JIS" : "UTF-16";
  return {fmt::format("holds what is no character of {}, the encoding of the file", name),
          fmt::format("ファイルの文字コード{}として不正な文字があります", name)};
}

// The form of the messages in the error file (contract section 1.8).
std::string error_cell(const Problems& problems, const CsvRow& place,
                       const std::vector<std::string>& header, Language language) {
  const std::uint64_t row = place.number;
  std::string out = "[";
  bool names_row = false;
  for (const Problem& problem : problems.list()) {
    if (out.size() > 1) out += ", ";
    if (problem.path.empty()) {
      out += texts::without_stop(at_row(row, problem.text).in(language));
      names_row = true;
    } else {
      out += fmt::format("{}: {}", column_of(problem.path, header),
                         texts::without_stop(problem.text.in(language)));
    }
  }
  if (!names_row) {
    out += language == Language::japanese ? fmt::format(", {}行目", row)
                                          : fmt::format(", row: {}", row);
  }
  // Editors count lines.
  if (place.line != row) {
    out += language == Language::japanese ? fmt::format(", ファイルの{}行目", place.line)
                                          : fmt::format(", line: {}", place.line);
  }
  return out + "]";
}

// Where a row is that is no CSV. Rows and lines part after a row of several lines; editors count
// lines.
Text place_of(const CsvBadRow& row) {
  Text place{fmt::format("row {}", row.number), fmt::format("{}行目", row.number)};
  if (row.line != row.number) {
    place.en += fmt::format(" (line {})", row.line);
    place.ja += fmt::format(" (ファイルの{}行目)", row.line);
  }
  if (row.column > 0) {
    place.en += fmt::format(", column {}", row.column);
    place.ja += fmt::format("、{}列目", row.column);
  }
  return place;
}

// What is wrong with a draft, of which there is one.
Text sentence(const Problems& problems) {
  Text out;
  for (const Problem& problem : problems.list()) {
    const std::string_view between = out.en.empty() ? "" : ", ";
    const std::string path =
        problem.path.empty() ? "" : fmt::format("{}: ", fmt::join(problem.path, "."));
    out.en += fmt::format("{}{}{}", between, path, texts::without_stop(problem.text.en));
    out.ja += fmt::format("{}{}{}", between, path, texts::without_stop(problem.text.ja));
  }
  return out;
}

// Seen without reading it. A byte order mark may stand before an object.
bool begins_no_object(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t\r");
  return begin != std::string_view::npos && line[begin] != '{' && line[begin] != '\xEF';
}

void append_csv_row(std::string& out, std::string_view first,
                    const std::vector<std::string>& others) {
  append_csv_field(out, first);
  for (const std::string& field : others) {
    out += ',';
    append_csv_field(out, field);
  }
  out += "\r\n";
}

}  // namespace

Result<void> Importer::look_at_draft(Run& run) {
  const auto draft =
      store_.read_and_wait([&run](store::ReadTransaction& reader) -> Result<store::Delivery> {
        auto account = reader.account(run.job.account);
        if (!account) return fail(std::move(account.error()));
        run.allowed = std::move(account->allowed_recipients);
        return reader.delivery(run.job.delivery);
      });
  if (!draft) return fail(draft.error());
  run.recipients_before = draft->counts.total;
  run.already_there.emplace(draft->counts.total);
  if (auto read = read_recipients(run); !read) return read;
  run.size = size_of(*draft);
  run.wanted = CodesWanted(draft->content);
  run.forms = mime::key_forms(draft->content);
  run.purpose = purpose_of(draft->labels.purpose, draft->type);
  run.list_id = draft->labels.list_id;
  if (run.job.dry_run) {
    run.check.emplace(keys_in(draft->content), draft->content.from_template.has_value());
  }
  if (!run.job.immediate) return {};
  // It will be committed at the end: as at any commit, a mail can be made of it.
  Problems problems;
  check_has_text(draft->content, problems);
  check_unsubscribe_link(draft->content, run.purpose, limits_, problems);
  add_unwritable(mime::check_composable(draft->content), problems);
  check_draft_size(*draft, run.size, limits_, problems);
  return problems.empty() ? Result<void>{} : refuse_all(run, sentence(problems));
}

Result<void> Importer::read_recipients(Run& run) {
  if (!run.already_there->compares()) return {};
  constexpr store::PublicId kStoriesPerRead = 500;
  const auto ranges = store_.read_and_wait(
      [&](store::ReadTransaction& reader) { return reader.log_ranges(run.job.delivery); });
  if (!ranges) return fail(ranges.error());
  for (store::LogRange range : *ranges) {
    while (!range.empty() && !stopping_) {
      std::vector<store::PublicId> ids;
      const store::PublicId end = std::min(range.end, range.first + kStoriesPerRead);
      for (; range.first < end; ++range.first) ids.push_back(range.first);
      const auto stories = store_.read_and_wait(
          [&](store::ReadTransaction& reader) { return reader.log_stories(run.job.account, ids); });
      if (!stories) return fail(stories.error());
      for (const store::Story& story : *stories) run.already_there->add(story.address);
    }
  }
  return {};
}

Result<void> Importer::each_slice(Run& run, const Use& use) {
  const auto file = uploads_.open(run.job.upload);
  if (!file) return fail("the uploaded file", file.error());
  run.file_octets = (*file)->size();
  std::string slice(kFileSliceOctets, '\0');
  while (!stopping_) {
    const auto got = (*file)->read(slice);
    if (!got) return fail("the uploaded file", got.error());
    if (*got == 0) return {};
    if (is_cancelled(run.job)) return fail(ErrorKind::cancelled, "the import was cancelled");
    const auto wants_more = use(std::string_view(slice).substr(0, *got));
    if (!wants_more) return fail(wants_more.error());
    if (!*wants_more) return {};
  }
  return {};
}

Result<void> Importer::guess_encoding(Run& run) {
  ListEncodingGuess guess;
  auto looked = each_slice(run, [&](std::string_view octets) -> Result<bool> {
    if (run.beginning.empty()) run.beginning = octets.substr(0, kGuessOctets);
    guess.push(octets);
    return !guess.decided();
  });
  run.encoding = guess.finish();
  run.beginning = utf8_prefix(run.beginning, kGuessOctets);
  return looked;
}

Result<void> Importer::read_file(Run& run) {
  if (auto looked = look_at_draft(run); !looked) return looked;
  auto read = run.job.form == store::ImportForm::ndjson ? read_ndjson(run) : read_csv(run);
  if (!read || stopping_) return read;
  return stage(run);
}

Result<void> Importer::read_csv(Run& run) {
  if (auto guessed = guess_encoding(run); !guessed) return guessed;
  mime::TextDecoder decoder(run.encoding.encoding);
  CsvReader reader({.row_octets_max = limits_.import_row_octets_max});
  const CsvReader::Rows rows{.good = [&](CsvRow& row) { return take_row(run, row); },
                             .bad = [&](const CsvBadRow& row) -> Result<void> {
                               if (!run.header.empty()) {
                                 refuse_place(run, row);
                                 return {};
                               }
                               const Text place = place_of(row);
                               return refuse_file(run,
                                                  {fmt::format("{}: {}", place.en, row.reason.en),
                                                   fmt::format("{}: {}", place.ja, row.reason.ja)});
                             }};
  auto read = each_slice(run, [&](std::string_view octets) -> Result<bool> {
    run.octets_read += octets.size();
    auto pushed = reader.push(decoder.decode(octets), rows);
    run.separator = reader.separator();
    return pushed ? Result<bool>(!is_decided(run)) : fail(pushed.error());
  });
  if (!read || stopping_) return read;
  if (auto pushed = reader.push(decoder.finish(), rows); !pushed) return pushed;
  if (auto finished = reader.finish(rows); !finished) return finished;
  if (run.header.empty()) {
    return refuse_all(run, {"the file has no header row", "ファイルに見出しの行がありません"});
  }
  return {};
}

// RFC 8259 section 8.1: always UTF-8.
Result<void> Importer::read_ndjson(Run& run) {
  JsonLines reader(limits_.import_row_octets_max);
  const JsonLines::Take take = [&](const JsonLine& line) { return take_line(run, line); };
  auto read = each_slice(run, [&](std::string_view octets) -> Result<bool> {
    run.octets_read += octets.size();
    auto pushed = reader.push(octets, take);
    return pushed ? Result<bool>(!is_decided(run)) : fail(pushed.error());
  });
  if (!read || stopping_) return read;
  return reader.finish(take);
}

std::unexpected<Error> Importer::refuse_all(Run& run, Text why) {
  run.refusal = std::move(why);
  return fail(ErrorKind::invalid_input, run.refusal->en);
}

std::unexpected<Error> Importer::refuse_file(Run& run, Text why) {
  // What it is known to be is no reason.
  const bool is_utf8 = run.encoding.encoding == mime::TextEncoding::utf_8;
  const Sentence guess = is_utf8 ? guessed_encoding(run.beginning) : Sentence{"", ""};
  if (!guess.en.empty()) {
    why.en += fmt::format("; {}", guess.en);
    why.ja += fmt::format("。{}", guess.ja);
  }
  return refuse_all(run, std::move(why));
}

Result<void> Importer::take_header(Run& run, CsvRow& row) {
  auto header = read_list_header(std::move(row.fields), limits_, run.forms);
  if (!header) return refuse_file(run, at_row(row.number, header.error()));
  run.header = std::move(*header);
  return {};
}

// A row of a file that was decoded; of UTF-8 the rules of what may come in say it.
void Importer::check_decoded(const Run& run, const CsvRow& row, Problems& problems) {
  if (run.encoding.encoding == mime::TextEncoding::utf_8) return;
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    if (!row.fields[i].contains(kReplacementCharacter)) continue;
    problems.add(path_of(i, run.header), not_decodable(run.encoding.encoding));
  }
}

Result<void> Importer::take_row(Run& run, CsvRow& row) {
  if (run.header.empty()) return take_header(run, row);
  if (is_decided(run)) return {};
  Problems problems;
  RecipientRequest request{row.fields.front(), {}};
  while (row.fields.size() > run.header.size() && row.fields.back().empty()) row.fields.pop_back();
  if (row.fields.size() > run.header.size()) {
    problems.add(
        {}, {fmt::format("has {} fields, the header has {}", row.fields.size(), run.header.size()),
             fmt::format("値が{}個あります (見出しは{}列)", row.fields.size(), run.header.size())});
  }
  const std::size_t known = std::min(row.fields.size(), run.header.size());
  for (std::size_t i = 1; i < known; ++i) {
    const std::string& column = run.header[i];
    if (column == kReferenceColumn) {
      request.attached.reference = trim_invisible(row.fields[i]);
    } else if (column.starts_with(kMetadataColumn)) {
      // An empty cell is no member: not each recipient has them all.
      if (row.fields[i].empty()) continue;
      request.attached.metadata.push_back({column.substr(kMetadataColumn.size()), row.fields[i]});
    } else {
      request.insert_codes.push_back({run.header[i], row.fields[i]});
    }
  }
  for (const std::string& field : row.fields) {
    const Sentence shifts = iso_2022_in(field);
    if (shifts.en.empty()) continue;
    problems.add({}, {std::string(shifts.en), std::string(shifts.ja)});
    break;
  }
  check_decoded(run, row, problems);
  if (trim_invisible(request.email).starts_with('\'')) {
    problems.add({"email"}, texts::invalid_email("begins with the apostrophe by which spreadsheets "
                                                 "mark text, take it off"));
  }
  return take_recipient(run, request, row, std::move(problems));
}

Result<void> Importer::take_line(Run& run, const JsonLine& line) {
  if (is_decided(run)) return {};
  if (!keeps_error(run) && (line.too_long || begins_no_object(line.text))) {
    ++run.bad;
    return {};
  }
  CsvRow row{.number = line.number,
             .line = line.number,
             .fields = {std::string(utf8_prefix(line.text, kShownRowOctets))}};
  CsvBadRow bad{.number = line.number, .line = line.number, .octets = line.text};
  if (line.too_long) {
    bad.reason = {fmt::format("is longer than {} bytes", limits_.import_row_octets_max),
                  fmt::format("{}バイトを超えています", limits_.import_row_octets_max)};
    refuse_place(run, bad);
    return {};
  }
  auto read = read_json_row(line.text, limits_.insert_codes_max);
  if (!read) {
    bad.column = read.error().column;
    bad.reason = std::move(read.error().why);
    refuse_place(run, bad);
    return {};
  }
  run.header = {"email"};
  for (const InsertCode& code : read->request.insert_codes) run.header.push_back(code.key);
  return take_recipient(run, read->request, row, std::move(read->problems));
}

// `row`: where it stands, and what is shown of it if it is refused.
Result<void> Importer::take_recipient(Run& run, const RecipientRequest& request, const CsvRow& row,
                                      Problems problems) {
  Problems found;
  auto recipient = check_recipient(request, {}, limits_, found);
  run.wanted.check(request.insert_codes, {}, found);
  check_allowed(run.allowed, recipient.address, {"email"}, found);
  check_codes_size(request.insert_codes, run.size, {}, limits_, found);
  problems.add_others(std::move(found));
  if (!problems.empty() && !keeps_error(run)) {
    ++run.bad;
    return {};
  }
  if (!problems.empty()) {
    for (const std::string& field : row.fields) {
      if (is_utf8(field)) continue;
      const Sentence guess = guessed_encoding(field);
      if (!guess.en.empty()) problems.add({}, {std::string(guess.en), std::string(guess.ja)});
      break;
    }
    ++run.bad;
    add_error(run, error_cell(problems, row, run.header, run.job.language), row.fields);
    return {};
  }
  if (!run.job.keep_duplicates && !run.addresses.insert(recipient.address)) {
    ++run.folded;
    return {};
  }
  ++run.good;
  run.already_there->look_at(recipient.address, row.number);
  run.staged.push_back(std::move(recipient));
  return run.staged.size() < kRowsPerWork ? Result<void>{} : stage(run);
}

bool Importer::keeps_error(const Run& run) {
  return run.bad < kErrorRowsMax && run.error_octets <= kErrorOctetsMax;
}

bool Importer::is_decided(const Run& run) {
  return run.bad > 0 && !run.job.ignore_errors && !keeps_error(run);
}

void Importer::refuse_place(Run& run, const CsvBadRow& row) {
  if (is_decided(run)) return;
  const bool kept = keeps_error(run);
  ++run.bad;
  if (!kept) return;
  const Language language = run.job.language;
  add_error(run, fmt::format("[{}: {}]", place_of(row).in(language), row.reason.in(language)),
            {std::string(utf8_prefix(row.octets, kShownRowOctets))});
}

void Importer::add_error(Run& run, std::string_view why, const std::vector<std::string>& fields) {
  // Pieces, so that nothing grows by being copied.
  if (run.errors.empty() || run.errors.back().size() >= kFileSliceOctets) run.errors.emplace_back();
  std::string& piece = run.errors.back();
  const std::size_t before = piece.size();
  if (run.errors.size() == 1 && piece.empty()) {
    const bool is_csv = run.job.form == store::ImportForm::csv;
    append_csv_row(piece, "エラーメッセージ",
                   is_csv ? run.header : std::vector<std::string>{"row"});
  }
  append_csv_row(piece, why, fields);
  run.error_octets += piece.size() - before;
}

}  // namespace todoku::intake
