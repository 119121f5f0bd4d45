// SPDX-License-Identifier: Apache-2.0
#include "intake/importer.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <future>
#include <memory>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "async/task_group.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/text_encoding.h"
#include "base/utf8.h"
#include "intake/address_set.h"
#include "intake/check.h"
#include "intake/check_size.h"
#include "intake/csv.h"
#include "intake/error_files.h"
#include "intake/list_encoding.h"
#include "intake/list_header.h"
#include "intake/problem.h"
#include "mail/invisible.h"
#include "mime/text_decoder.h"

namespace todoku::intake {
namespace {

constexpr std::size_t kSliceOctets = 256 * 1024;
// Rows a store function stages: a few milliseconds of the writer, so that accepts do not wait long.
constexpr std::size_t kRowsPerWork = 1'000;
// Of the error file, which is in memory until the job ends, and made an archive as a whole; rows
// beyond are only counted.
constexpr std::int64_t kErrorRowsMax = 100'000;
constexpr std::size_t kErrorOctetsMax = std::size_t{32} << 20U;

// Addresses of one list that are looked at for doubles: 128 MiB of memory. Of longer lists, those
// that follow are compared with these only.
constexpr std::size_t kComparedAddressesMax = 12'500'000;
// Of a file, to guess its encoding from.
constexpr std::size_t kGuessOctets = 4'096;
// Of a row that cannot be taken apart, as much as helps to find it.
constexpr std::size_t kShownRowOctets = 1'000;

// The column that a problem of a row is about.
std::string column_of(const std::vector<std::string>& path,
                      const std::vector<std::string>& header) {
  if (path.size() < 2 || path[0] != "insert_code") return path.front();
  std::size_t code = 0;
  const std::string& index = path[1];
  const auto read = std::from_chars(index.data(), index.data() + index.size(), code);
  return read.ec == std::errc() && code + 1 < header.size() ? header[code + 1] : path.front();
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

struct Importer::Run {
  store::ImportJob job;
  std::uint64_t file_octets = 0;
  std::uint64_t octets_read = 0;
  std::string beginning;  // of the file, to guess from what it is if it is no CSV
  ListEncoding encoding;
  std::vector<std::string> header;
  std::int64_t recipients_before = 0;
  mime::MessageSize size;  // of the draft, which nobody changes while it is being imported into
  std::vector<store::NewRecipient> staged;
  // What was staged before: the store takes it while the next rows are read.
  std::future<Result<store::StageRows::Answer>> staging;
  AddressSet addresses{AddressSet::random_key(), kComparedAddressesMax};
  std::int64_t good = 0;
  std::int64_t bad = 0;
  std::int64_t folded = 0;
  std::vector<std::string> errors;  // the CSV text of the error file, in pieces
  std::size_t error_octets = 0;
  std::optional<Text> refusal;  // why the job as a whole is refused, if it is
};

Importer::Importer(store::Store& store, Uploads& uploads, NodeOf node, Limits limits,
                   Handover& handover, const Clock& clock, Waiting waiting)
    : store_(store),
      uploads_(uploads),
      node_(std::move(node)),
      limits_(limits),
      handover_(handover),
      clock_(clock),
      waiting_(waiting),
      jobs_({.all = waiting.jobs_max, .of_owner = std::max<std::size_t>(1, waiting.jobs_max / 2)}) {
}

Importer::~Importer() {
  stop();
}

Result<void> Importer::start_thread() {
  // Of what stays there is the more next time.
  if (auto swept = sweep_uploads(); !swept) {
    log::warning("uploads that nobody wants stay", {{"reason", swept.error().detail}});
  }
  if (auto taken = take_unfinished(); !taken) return taken;
  thread_ = std::thread([this] { work(); });
  return {};
}

Result<void> Importer::sweep_uploads() {
  const store::NodeKey node = node_();
  const auto running = store_.read_and_wait(
      [node](store::ReadTransaction& transaction) { return transaction.running_imports(node); });
  if (!running) return fail(running.error());
  const auto is_named = [&](std::string_view name) -> Result<bool> {
    const auto errors = errors_named(name);
    if (!errors) {
      return std::ranges::find(*running, name, &store::ImportJob::upload) != running->end();
    }
    const auto job = store_.read_and_wait([&](store::ReadTransaction& transaction) {
      return transaction.import_job(errors->account, errors->job);
    });
    if (job) return !job->errors.empty();  // or what open_errors() makes of it
    if (job.error().kind == ErrorKind::not_found) return false;
    return fail(job.error());
  };
  const auto swept = uploads_.sweep(is_named);
  if (!swept) return fail(swept.error());
  if (*swept > 0) log::info("uploads that no job names were removed", {{"files", *swept}});
  return {};
}

Result<void> Importer::take_unfinished() {
  const store::NodeKey node = node_();
  auto unfinished = store_.read_and_wait(
      [node](store::ReadTransaction& transaction) { return transaction.running_imports(node); });
  if (!unfinished) return fail(unfinished.error());
  for (store::ImportJob& job : *unfinished) {
    {
      const std::lock_guard lock(mutex_);
      if (queued_.contains(key_of(job))) continue;
    }
    const auto restarted = store_.write_and_wait(
        store::WritePriority::import, [&job, node](store::WriteTransaction& transaction) {
          return transaction.restart_import(job.id, job.account, node);
        });
    // Ended, deleted or taken over since it was read.
    if (!restarted && (restarted.error().kind == ErrorKind::conflict ||
                       restarted.error().kind == ErrorKind::not_found)) {
      continue;
    }
    if (!restarted) return fail(restarted.error());
    start(std::move(job));
  }
  return {};
}

void Importer::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stopped_.notify_all();
  jobs_.close();
  if (thread_.joinable()) thread_.join();
}

void Importer::start(store::ImportJob job) {
  const JobKey key = key_of(job);
  {
    const std::lock_guard lock(mutex_);
    if (!queued_.insert(key).second) return;
  }
  try {
    if (jobs_.try_push(static_cast<std::int64_t>(key.first), std::move(job))) return;
  } catch (const std::exception&) {
    async::report_exception("queueing an import", std::current_exception());
  }
  const std::lock_guard lock(mutex_);
  queued_.erase(key);
  left_behind_ = true;
}

void Importer::discard(std::vector<std::string> errors) {
  if (errors.empty()) return;
  const auto of = errors_named(errors.front());
  const auto account = of ? static_cast<std::int64_t>(of->account) : 0;
  // Where too much waits, they stay until sweep_uploads().
  (void)jobs_.try_push(account, std::move(errors));
}

void Importer::work() {
  catch_up();
  while (!stopping_) {
    const auto taken = jobs_.pop_within(waiting_.look_every);
    if (stopping_) return;
    if (!taken) {
      look_for_others();
      continue;
    }
    const bool done = do_piece(taken->item);
    jobs_.done(taken->owner);
    if (!done) pause();
    catch_up();
  }
}

// Of a node that died, or of this one, if it has entered anew after others thought so.
void Importer::look_for_others() {
  {
    const std::lock_guard lock(mutex_);
    left_behind_ = true;
  }
  catch_up();
}

// What is thrown, where memory is refused, ends the piece and not the process: a job is still this
// node's, and begins again; files that stay go at the next start.
bool Importer::do_piece(const Piece& piece) {
  const auto* const job = std::get_if<store::ImportJob>(&piece);
  bool ended = false;
  try {
    if (job != nullptr) {
      ended = run(*job);
    } else {
      for (const auto& name : std::get<std::vector<std::string>>(piece)) {
        remove_errors(uploads_, name);
      }
    }
  } catch (const std::exception&) {
    async::report_exception("an import", std::current_exception());
  }
  if (job == nullptr) return true;
  const std::lock_guard lock(mutex_);
  queued_.erase(key_of(*job));
  if (!ended) left_behind_ = true;
  return ended;
}

void Importer::catch_up() {
  while (!stopping_ && jobs_.size() == 0) {
    {
      const std::lock_guard lock(mutex_);
      if (!std::exchange(left_behind_, false)) return;
    }
    Result<void> taken;
    try {
      taken = take_unfinished();
    } catch (const std::exception& error) {
      async::report_exception("finding imports", std::current_exception());
      taken = fail(ErrorKind::unavailable, error.what());
    }
    if (taken) {
      // With jobs to run, these tell.
      if (jobs_.size() == 0) storing_.worked(clock_.steady_now());
      continue;
    }
    storing_.failed(clock_.steady_now(), {{"reason", taken.error().detail}});
    {
      const std::lock_guard lock(mutex_);
      left_behind_ = true;
    }
    pause();
  }
}

void Importer::pause() {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, waiting_.retry_after, [this] { return stopping_.load(); });
}

bool Importer::run(const store::ImportJob& job) {
  log::info("import started", {{"job", job.id}, {"delivery", job.delivery_id}});
  Run run{.job = job};
  Result<void> read = read_file(run);
  // When the job ends nothing of it is under way any more.
  if (auto staged = wait_for_staging(run); read && !staged) read = std::move(staged);
  if (stopping_) return true;  // goes on at the next start
  if (!read && read.error().kind == ErrorKind::unavailable) {
    storing_.failed(clock_.steady_now(), {{"job", job.id}, {"reason", read.error().detail}});
    return false;
  }
  const bool ended = end(run, read);
  if (ended) storing_.worked(clock_.steady_now());
  return ended;
}

Result<void> Importer::look_at_draft(Run& run) {
  const auto draft = store_.read_and_wait(
      [&run](store::ReadTransaction& reader) { return reader.delivery(run.job.delivery); });
  if (!draft) return fail(draft.error());
  run.recipients_before = draft->counts.total;
  run.size = size_of(*draft);
  if (!run.job.immediate) return {};
  // It will be committed at the end: as at any commit, a mail can be made of it.
  Problems problems;
  check_has_text(draft->content, problems);
  check_unsubscribe_link(draft->content, purpose_of(draft->labels.purpose, draft->type), limits_,
                         problems);
  add_unwritable(mime::check_composable(draft->content), problems);
  check_draft_size(*draft, run.size, limits_, problems);
  return problems.empty() ? Result<void>{} : refuse_all(run, sentence(problems));
}

Result<void> Importer::each_slice(Run& run, const Use& use) {
  const auto file = uploads_.open(run.job.upload);
  if (!file) return fail("the uploaded file", file.error());
  run.file_octets = (*file)->size();
  std::string slice(kSliceOctets, '\0');
  while (!stopping_) {
    const auto got = (*file)->read(slice);
    if (!got) return fail("the uploaded file", got.error());
    if (*got == 0) return {};
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
  if (auto guessed = guess_encoding(run); !guessed) return guessed;
  mime::TextDecoder decoder(run.encoding.encoding);
  CsvReader reader({.row_octets_max = limits_.import_row_octets_max});
  const CsvReader::Rows rows{
      .good = [&](CsvRow& row) { return take_row(run, row); },
      .bad = [&](const CsvBadRow& row) -> Result<void> {
        const Text place = place_of(row);
        if (run.header.empty()) {
          return refuse_file(run, {fmt::format("{}: {}", place.en, row.reason.en),
                                   fmt::format("{}: {}", place.ja, row.reason.ja)});
        }
        const Language language = run.job.language;
        refuse_row(run, fmt::format("[{}: {}]", place.in(language), row.reason.in(language)),
                   {std::string(utf8_prefix(row.octets, kShownRowOctets))});
        return {};
      }};
  auto read = each_slice(run, [&](std::string_view octets) -> Result<bool> {
    run.octets_read += octets.size();
    auto pushed = reader.push(decoder.decode(octets), rows);
    return pushed ? Result<bool>(true) : fail(pushed.error());
  });
  if (!read || stopping_) return read;
  if (auto pushed = reader.push(decoder.finish(), rows); !pushed) return pushed;
  if (auto finished = reader.finish(rows); !finished) return finished;
  if (run.header.empty()) {
    return refuse_all(run, {"the file has no header row", "ファイルに見出しの行がありません"});
  }
  return stage(run);
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
  auto header = read_list_header(std::move(row.fields), limits_);
  if (!header) return refuse_file(run, at_row(row.number, header.error()));
  run.header = std::move(*header);
  return {};
}

// A row of a file that was decoded; of UTF-8 the rules of what may come in say it.
void Importer::check_decoded(const Run& run, const CsvRow& row, Problems& problems) {
  if (run.encoding.encoding == mime::TextEncoding::utf_8) return;
  for (std::size_t i = 0; i < row.fields.size(); ++i) {
    if (!row.fields[i].contains(kReplacementCharacter)) continue;
    std::vector<std::string> path{"email"};
    if (i > 0) path = {"insert_code", std::to_string(i - 1)};
    problems.add(std::move(path), not_decodable(run.encoding.encoding));
  }
}

Result<void> Importer::take_row(Run& run, CsvRow& row) {
  if (run.header.empty()) return take_header(run, row);
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
    request.insert_codes.push_back({run.header[i], row.fields[i]});
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
  auto recipient = check_recipient(request, {}, limits_, problems);
  check_codes_size(request.insert_codes, run.size, {}, limits_, problems);
  if (!problems.empty()) {
    for (const std::string& field : row.fields) {
      if (is_utf8(field)) continue;
      const Sentence guess = guessed_encoding(field);
      if (!guess.en.empty()) problems.add({}, {std::string(guess.en), std::string(guess.ja)});
      break;
    }
    refuse_row(run, error_cell(problems, row, run.header, run.job.language), row.fields);
    return {};
  }
  if (!run.job.keep_duplicates && !run.addresses.insert(recipient.address)) {
    ++run.folded;
    return {};
  }
  ++run.good;
  run.staged.push_back(std::move(recipient));
  return run.staged.size() < kRowsPerWork ? Result<void>{} : stage(run);
}

void Importer::refuse_row(Run& run, std::string_view why, const std::vector<std::string>& fields) {
  ++run.bad;
  if (run.bad > kErrorRowsMax || run.error_octets > kErrorOctetsMax) return;
  add_error(run, why, fields);
}

void Importer::add_error(Run& run, std::string_view why, const std::vector<std::string>& fields) {
  // Pieces, so that nothing grows by being copied.
  if (run.errors.empty() || run.errors.back().size() >= kSliceOctets) run.errors.emplace_back();
  std::string& piece = run.errors.back();
  const std::size_t before = piece.size();
  if (run.errors.size() == 1 && piece.empty())
    append_csv_row(piece, "エラーメッセージ", run.header);
  append_csv_row(piece, why, fields);
  run.error_octets += piece.size() - before;
}

Result<void> Importer::wait_for_staging(Run& run) {
  if (!run.staging.valid()) return {};
  const auto staged = run.staging.get();
  return staged ? Result<void>{} : fail(staged.error());
}

Result<void> Importer::stage(Run& run) {
  // One at a time: rows keep the order of the file, and two slices of it are in memory at most.
  if (auto before = wait_for_staging(run); !before) return before;
  // A file that will fail as a whole need not be stored any further.
  const bool doomed = run.bad > 0 && !run.job.ignore_errors;
  if (run.staged.empty() || doomed) {
    run.staged.clear();
    return {};
  }
  // 99: the end of the job alone makes it 100, which is what clients wait for.
  const auto percentage =
      static_cast<std::int32_t>(run.file_octets == 0 ? 0 : run.octets_read * 99 / run.file_octets);
  run.staging = store_.perform_soon(store::StageRows{.job = run.job.id,
                                                     .account = run.job.account,
                                                     .node = node_(),
                                                     .recipients = std::exchange(run.staged, {}),
                                                     .folded = run.folded,
                                                     .percentage = percentage});
  return {};
}

bool Importer::end(Run& run, const Result<void>& read) {
  const bool is_taken = read && (run.bad == 0 || run.job.ignore_errors);
  // Whoever asked for sending at once must not take it for done.
  const bool nobody = is_taken && run.job.immediate && run.good == 0 && run.recipients_before == 0;
  if (nobody) {
    run.refusal = Text{
        "there is nobody to send to, in this list or from before it, and the delivery stays a "
        "draft",
        "このリストにもそれ以前にも宛先が1件もないため送信していません。配信は下書きのままです"};
  }
  const bool bad_file = run.refusal.has_value() && (!read || nobody);
  if (bad_file) {
    if (!nobody) ++run.bad;
    add_error(run, fmt::format("[file: {}]", run.refusal->in(run.job.language)), {});
  }
  // On the disk before the job says that it is there.
  Result<void> kept;
  if (!run.errors.empty()) {
    kept = keep_errors(uploads_, run.job.account, run.job.id, run.errors);
  }
  if (!kept && kept.error().kind == ErrorKind::unavailable) {
    // A full disk: the job begins again, and nobody loses the list of what was wrong.
    storing_.failed(clock_.steady_now(), {{"job", run.job.id}, {"reason", kept.error().detail}});
    return false;
  }
  if (!kept) {
    log::error("import errors not kept", {{"job", run.job.id}, {"reason", kept.error().detail}});
  }
  const bool has_errors = kept && !run.errors.empty();
  run.errors.clear();
  store::ImportEnd end{.status = store::ImportStatus::finished,
                       .success_count = run.good,
                       .failed_count = run.bad,
                       .total_count = run.good + run.bad + run.folded,
                       .errors = has_errors ? errors_name(run.job.account, run.job.id) : "",
                       .folded = run.folded};
  if (!read && !bad_file) {
    end.status = store::ImportStatus::system_error;
  } else if (bad_file || !is_taken) {
    end.status = store::ImportStatus::failed;
  }
  if (end.status != store::ImportStatus::finished) end.success_count = 0;

  const bool commit = run.job.immediate && end.status == store::ImportStatus::finished;
  bool is_gone = false;
  const auto ended = store_.write_and_wait(
      store::WritePriority::import, [&](store::WriteTransaction& tx) -> Result<void> {
        auto done = tx.end_import(run.job.id, run.job.account, end, node_());
        is_gone = !done && (done.error().kind == ErrorKind::conflict ||
                            done.error().kind == ErrorKind::not_found);
        if (!done || !commit) return done;
        return tx.commit_draft(run.job.delivery, std::nullopt);
      });
  if (is_gone) {
    // Deleted or taken over meanwhile, as take_unfinished() has it.
    log::info("import was ended elsewhere", {{"job", run.job.id}});
    return true;
  }
  if (!ended) {
    storing_.failed(clock_.steady_now(), {{"job", run.job.id}, {"reason", ended.error().detail}});
    return false;
  }
  uploads_.remove(run.job.upload);
  log::info("import ended", {{"job", run.job.id},
                             {"good", run.good},
                             {"bad", run.bad},
                             {"folded", run.folded},
                             {"reason", read ? "" : read.error().detail}});
  if (commit) handover_.work_arrived();
  return true;
}

}  // namespace todoku::intake
