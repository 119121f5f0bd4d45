// SPDX-License-Identifier: Apache-2.0
// Suppression lists as CSV that comes in. However long a list, what is held of it besides its
// octets is a piece of rows and the errors that will be told.
#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "async/yield.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "base/log.h"
#include "base/text_encoding.h"
#include "intake/changes.h"
#include "intake/csv.h"
#include "intake/suppression_lists.h"
#include "mail/invisible.h"

namespace todoku::intake {
namespace {

// A commit when there are so many. A slice of octets holds few good rows, so that one has fewer
// than the 1,000 that the store takes.
constexpr std::size_t kRowsOfTransaction = 500;
// Before others get their turn: a few hundred microseconds even if each row is two octets and bad.
constexpr std::size_t kSliceOctets = 128;
constexpr std::size_t kCheckedOctets = std::size_t{64} * 1024;

struct ColumnName {
  std::string_view name;
  std::string SuppressionRequest::* field;
};
constexpr std::array kRead{ColumnName{"email", &SuppressionRequest::address},
                           ColumnName{"address", &SuppressionRequest::address},
                           ColumnName{"domain", &SuppressionRequest::address},
                           ColumnName{"reason", &SuppressionRequest::reason},
                           ColumnName{"scope", &SuppressionRequest::scope},
                           ColumnName{"list_id", &SuppressionRequest::list_id},
                           ColumnName{"note", &SuppressionRequest::note},
                           ColumnName{"expires", &SuppressionRequest::expires},
                           ColumnName{"response_code", &SuppressionRequest::response_code},
                           ColumnName{"message", &SuppressionRequest::response_message}};

void set_expiry(const SuppressionRequest& request, Instant now, store::NewSuppression& entry,
                Problems& problems) {
  if (request.expires.empty()) return;
  const auto expires = parse_date_time(request.expires);
  if (!expires) {
    problems.add({"expires"}, {"must be a date like 2027-04-01T09:00:00+09:00.",
                               "2027-04-01T09:00:00+09:00のような日時で指定してください。"});
  } else if (*expires <= now) {
    problems.add({"expires"}, {"has passed already.", "すでに過ぎています。"});
  } else if (is_opt_out(entry.reason)) {
    problems.add({"expires"}, opt_out_stays());
  } else {
    entry.lasts = std::chrono::ceil<Milliseconds>(*expires - now);
  }
}

BilingualText sentence_of(const Problems& problems) {
  BilingualText out;
  for (const Problem& problem : problems.list()) {
    const std::string_view between = out.en.empty() ? "" : ", ";
    const std::string field = problem.path.empty() ? "" : problem.path.front() + ": ";
    out.en += fmt::format("{}{}{}", between, field, texts::without_stop(problem.text.en));
    out.ja += fmt::format("{}{}{}", between, field, texts::without_stop(problem.text.ja));
  }
  return out;
}

// Two numbers of rows in one: a list has fewer than 2^31, as its octets have.
constexpr int kHalf = 31;
constexpr std::int64_t kHalfMax = (std::int64_t{1} << kHalf) - 1;

std::int64_t counts_of(std::int64_t added, std::int64_t changed) {
  return std::min(added, kHalfMax) << kHalf | std::min(changed, kHalfMax);
}

// Reads rows, checks them, and keeps the good ones until they are taken.
class RowReader {
 public:
  RowReader(store::Store& store, store::AccountKey account, ImportedSuppressions& told)
      : store_(store), account_(account), told_(told) {}
  RowReader(const RowReader&) = delete;
  RowReader& operator=(const RowReader&) = delete;

  // Neither handler fails.
  void push(std::string_view octets) { (void)reader_.push(octets, handlers_); }
  void finish() {
    (void)reader_.finish(handlers_);
    told_.rows = reader_.rows_read();
  }

  [[nodiscard]] std::size_t good() const { return entries_.size(); }
  // Stores the good rows; with the last of them the record.
  Task<Answer<void>> store_rows(const Repeatable& last = {});
  // They were stored before.
  void pass_over() {
    entries_.clear();
    numbers_.clear();
  }

 private:
  void take(const CsvRow& row);
  [[nodiscard]] bool take_header(const CsvRow& row);
  [[nodiscard]] bool will_be_told(std::uint64_t row) const {
    return told_.errors.size() < SuppressionLists::kErrorsTold || row < told_.errors.back().row;
  }
  void refuse_row(std::uint64_t row, BilingualText why);

  store::Store& store_;
  const store::AccountKey account_;
  ImportedSuppressions& told_;
  CsvReader reader_{CsvLimits{}};
  const CsvReader::Rows handlers_{.good = [this](CsvRow& row) -> Result<void> {
                                    take(row);
                                    return {};
                                  },
                                  .bad = [this](const CsvBadRow& row) -> Result<void> {
                                    refuse_row(row.number, row.reason);
                                    return {};
                                  }};
  bool begun_ = false;
  std::vector<std::string SuppressionRequest::*> columns_{&SuppressionRequest::address};
  std::vector<store::NewSuppression> entries_;
  std::vector<std::uint64_t> numbers_;  // of their rows
};

void RowReader::take(const CsvRow& row) {
  if (!std::exchange(begun_, true) && take_header(row)) return;
  SuppressionRequest request;
  for (std::size_t i = 0; i < std::min(row.fields.size(), columns_.size()); ++i) {
    if (columns_[i] != nullptr) request.*columns_[i] = read_back_csv_field(row.fields[i]);
  }
  Problems problems;
  auto entry = check_suppression(request, account_, StopReason::imported, problems);
  set_expiry(request, store_.clock().now(), entry, problems);
  if (!problems.empty()) {
    refuse_row(row.number, will_be_told(row.number) ? sentence_of(problems) : BilingualText{});
    return;
  }
  entries_.push_back(std::move(entry));
  numbers_.push_back(row.number);
}

// False: it is a row like any other.
bool RowReader::take_header(const CsvRow& row) {
  std::vector<std::string SuppressionRequest::*> columns;
  for (const std::string& field : row.fields) {
    const std::string name = to_ascii_lower(trim_invisible(field));
    const auto* const found = std::ranges::find(kRead, name, &ColumnName::name);
    columns.push_back(found == kRead.end() ? nullptr : found->field);
  }
  if (std::ranges::find(columns, &SuppressionRequest::address) == columns.end()) return false;
  columns_ = std::move(columns);
  told_.has_header = true;
  return true;
}

// Some are only known to be bad when they are stored, later ones being told already.
void RowReader::refuse_row(std::uint64_t row, BilingualText why) {
  ++told_.failed;
  if (!will_be_told(row)) return;
  const auto place = std::ranges::upper_bound(told_.errors, row, {}, &BadSuppressionRow::row);
  told_.errors.insert(place, {row, std::move(why)});
  if (told_.errors.size() > SuppressionLists::kErrorsTold) told_.errors.pop_back();
}

Task<Answer<void>> RowReader::store_rows(const Repeatable& last) {
  if (entries_.empty() && !last) co_return Answer<void>{};
  const auto count = static_cast<std::int64_t>(entries_.size());
  const std::vector<std::uint64_t> numbers = std::exchange(numbers_, {});
  const auto put = co_await store_.write(
      store::WritePriority::import,
      [entries = std::exchange(entries_, {}), last, added = told_.added,
       changed = told_.changed](store::WriteTransaction& writer) -> Result<store::PutSuppressions> {
        store::PutSuppressions done;
        if (!entries.empty()) {
          auto put_now = writer.put_suppressions(entries);
          if (!put_now) return put_now;
          done = std::move(*put_now);
        }
        if (!last) return done;
        const auto rows = static_cast<std::int64_t>(entries.size() - done.refused.size());
        store::IdempotencyRecord record = *last;
        record.answer = counts_of(added + done.made, changed + rows - done.made);
        if (auto kept = writer.keep_answer(record); !kept) return fail(std::move(kept.error()));
        return done;
      });
  if (!put) co_return refuse(refusal_of_change(put.error()));
  told_.added += put->made;
  told_.changed += count - put->made - static_cast<std::int64_t>(put->refused.size());
  for (const std::size_t place : put->refused) {
    Problems problems;
    problems.add({"email"}, subject_is_full());
    refuse_row(numbers[place], sentence_of(problems));
  }
  co_return Answer<void>{};
}

// Nothing is stored of what is no UTF-8 CSV.
Task<Answer<void>> check_encoding(std::string_view csv) {
  EncodingCheck encoding;
  while (!csv.empty() && !encoding.found()) {
    const std::string_view piece = csv.substr(0, kCheckedOctets);
    csv.remove_prefix(piece.size());
    encoding.push(piece);
    co_await async::give_way();
  }
  encoding.finish();
  if (!encoding.found()) co_return Answer<void>{};
  co_return refuse(ErrorKind::invalid_input,
                   {encoding.found()->en + ".", encoding.found()->ja + "。"});
}

}  // namespace

Task<Answer<void>> SuppressionLists::read_rows(store::AccountKey account, std::string_view csv,
                                               bool stores, Repeatable repeatable,
                                               ImportedSuppressions& told) {
  RowReader reader(store_, account, told);
  while (!csv.empty()) {
    const std::string_view slice = csv.substr(0, kSliceOctets);
    csv.remove_prefix(slice.size());
    reader.push(slice);
    const bool is_last = csv.empty();
    if (is_last) reader.finish();
    if (!is_last && reader.good() < kRowsOfTransaction) {
      co_await async::give_way();
      continue;
    }
    if (!stores) {
      reader.pass_over();
      continue;
    }
    auto stored = co_await reader.store_rows(is_last ? repeatable : Repeatable());
    if (!stored) co_return stored;
  }
  co_return Answer<void>{};
}

Task<Answer<ImportedSuppressions>> SuppressionLists::import(store::AccountKey account,
                                                            std::string_view csv,
                                                            Repeatable repeatable) {
  auto encoded = co_await check_encoding(csv);
  if (!encoded) co_return refuse(std::move(encoded.error()));
  ImportedSuppressions told;
  auto read = co_await read_rows(account, csv, true, repeatable, told);
  if (!read) co_return refuse(std::move(read.error()));
  const std::string name = co_await name_of(account);
  log::info("suppressions imported", {{"account", name},
                                      {"added", told.added},
                                      {"changed", told.changed},
                                      {"failed", told.failed}});
  co_return told;
}

// A row that was refused because its subject has as many entries as it may is not known any more.
Task<Answer<ImportedSuppressions>> SuppressionLists::told_again(store::AccountKey account,
                                                                std::string_view csv,
                                                                std::int64_t kept) {
  ImportedSuppressions told;
  auto read = co_await read_rows(account, csv, false, {}, told);
  if (!read) co_return refuse(std::move(read.error()));
  told.added = kept >> kHalf;
  told.changed = kept & kHalfMax;
  co_return told;
}

}  // namespace todoku::intake
