// SPDX-License-Identifier: Apache-2.0
// todoku suppression list | look | add | remove | import | export
#include <algorithm>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <fmt/format.h>

#include "base/text_encoding.h"
#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

using operate::Given;
namespace calls = operate::calls;

namespace {

// Of a CSV, in one call; the REST API takes a list as a whole.
constexpr std::size_t kSliceOctets = std::size_t{256} * 1024;
constexpr std::size_t kWholeOctets = std::size_t{16} << 20U;
constexpr int kRowLinesMax = 200;
constexpr std::int64_t kErrorsTold = 100;

Given of_list(const operate::Call& call, const std::string& account) {
  Given given(call);
  if (!account.empty()) given.with("account", account);
  return given;
}

void put(Given& given, std::string_view name, const std::string& value) {
  if (!value.empty()) given.with(name, value);
}

void print_entries(Session& session, const boost::json::array& entries) {
  std::vector<std::vector<std::string>> rows = {
      {session.words({"ADDRESS", "アドレス"}), session.words({"REASON", "理由"}),
       session.words({"STOPS", "止めるもの"}), session.words({"SINCE", "登録日時"}),
       session.words({"UNTIL", "期限"}), session.words({"NOTE", "備考"})}};
  for (const auto& entry : entries) {
    const std::string list = text_of(entry, "list_id");
    rows.push_back(
        {text_of(entry, "email"), text_of(entry, "reason"),
         list.empty() ? text_of(entry, "scope") : "list " + list, time_of(entry, "created"),
         time_of(entry, "expires"),
         text_of(entry, "note").empty() ? text_of(entry, "message") : text_of(entry, "note")});
  }
  print_table(session.out(), std::move(rows));
}

// Rows of a CSV as lines of text: a CR at their end would show as a character that is no CSV.
void print_rows(Session& session, std::string_view csv) {
  while (!csv.empty()) {
    const std::size_t end = std::min(csv.find('\n'), csv.size());
    std::string_view row = csv.substr(0, end);
    if (row.ends_with('\r')) row.remove_suffix(1);
    session.out() << row << '\n';
    csv.remove_prefix(std::min(end + 1, csv.size()));
  }
}

// Pieces of whole rows.
class CsvSlices {
 public:
  CsvSlices(std::istream& in, std::size_t octets) : in_(in), octets_(octets) {}

  // Empty: that was all.
  std::string next() {
    std::string slice = header_;
    repeated_ = header_.empty() ? 0 : first_rows_;
    bool any = false;
    std::string line;
    while ((slice.size() < octets_ || quoted_) && std::getline(in_, line)) {
      line += '\n';
      follow_quotes(line);
      if (first_rows_ == 0 || (first_rows_ == 1 && first_.contains("sep="))) {
        first_ += line;
        if (!quoted_) ++first_rows_;
      }
      slice += line;
      any = true;
    }
    return any ? slice : std::string();
  }
  // Of the slice at hand, those that stood in the first one already.
  [[nodiscard]] std::int64_t repeated() const { return repeated_; }
  // The first slice has one, which all others begin with from now on: its first row, or its second
  // one after `sep=;`, as spreadsheets write it.
  void repeat_header() { header_ = first_; }

 private:
  // Whether a row goes on in the next line. As the engine reads it (intake/csv.h): after so many
  // lines the quotation mark was none.
  void follow_quotes(std::string_view line) {
    if (std::ranges::count(line, '"') % 2 == 1) {
      quoted_ = !quoted_;
      quoted_lines_ = 0;
    }
    if (quoted_ && ++quoted_lines_ >= kRowLinesMax) quoted_ = false;
  }

  std::istream& in_;
  const std::size_t octets_;
  std::string first_;
  std::int64_t first_rows_ = 0;
  std::string header_;
  std::int64_t repeated_ = 0;
  bool quoted_ = false;
  int quoted_lines_ = 0;
};

// What of it is not UTF-8; nothing is imported then, as by the API.
std::optional<BilingualText> wrong_encoding(std::istream& in) {
  EncodingCheck check;
  std::string piece(kSliceOctets, '\0');
  while (in && !check.found()) {
    in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
    check.push(std::string_view(piece).substr(0, static_cast<std::size_t>(in.gcount())));
  }
  check.finish();
  return check.found();
}

// Of a whole list, slice by slice.
struct Imported {
  std::int64_t added = 0;
  std::int64_t changed = 0;
  std::int64_t failed = 0;
  std::int64_t rows = 0;  // before the slice at hand
  std::int64_t told = 0;  // of those that failed

  void take(Session& session, CsvSlices& slices, const boost::json::value& answer) {
    const std::int64_t before = rows - slices.repeated();
    added += number_of(answer, "added");
    changed += number_of(answer, "changed");
    failed += number_of(answer, "failed");
    const bool ja = session.language() == Language::japanese;
    for (const auto& row : list_of(answer, "errors")) {
      if (++told > kErrorsTold) break;
      session.err() << session.words({"row {}: {}", "{}行目: {}"}, before + number_of(row, "row"),
                                     text_of(row, ja ? "message_ja" : "message"))
                    << '\n';
    }
    if (rows == 0 && truth_of(answer, "header")) slices.repeat_header();
    rows = before + number_of(answer, "rows");
  }
};

}  // namespace

int suppression_list(Session& session, const std::string& account) {
  return session.list(
      of_list(calls::kListSuppressions, account), "suppressions",
      [&](const boost::json::value& answer) {
        const auto& entries = list_of(answer, "suppressions");
        if (entries.empty()) {
          session.say({"The list is empty.", "リストは空です。"});
        } else {
          print_entries(session, entries);
        }
        if (account.empty() && !session.is_remote()) {
          session.say(
              {"This is the installation's list, which stops the mail of all "
               "accounts. Each account has one, too: --account NAME",
               "全アカウントに適用される、サーバー全体のリストです。アカウントごとの"
               "リストは --account NAME で確認してください"});
        }
      });
}

int suppression_look(Session& session, const SuppressionWhich& which) {
  return session.call(
      of_list(calls::kLookSuppression, which.account).with("address", which.address),
      [&](const boost::json::value& answer) {
        const auto& entries = list_of(answer, "suppressions");
        if (entries.empty() && which.account.empty()) {
          session.say(
              {"Mail to {} is not stopped by the installation's list. Each account has "
               "one, too: --account NAME",
               "{} へのメールは、全体のリストでは止められていません。アカウントごとのリストは "
               "--account NAME で確認してください"},
              text_of(answer, "email"));
        } else if (entries.empty()) {
          session.say({"Mail to {} is not stopped.", "{} へのメールは止められていません。"},
                      text_of(answer, "email"));
        } else {
          print_entries(session, entries);
        }
        for (const auto& removal : list_of(answer, "removed")) {
          const std::string why = text_of(removal, "why");
          session.say({"Removed on {}: {}, by {}{}", "{} に解除: {}（{}）{}"},
                      time_of(removal, "at"), text_of(removal, "reason"), text_of(removal, "actor"),
                      why.empty() ? "" : session.words({": {}", " {}"}, why));
        }
      });
}

int suppression_add(Session& session, const SuppressionAdd& options) {
  Given given = of_list(calls::kAddSuppression, options.account).with("address", options.address);
  put(given, "reason", options.reason);
  put(given, "scope", options.scope);
  put(given, "list_id", options.list_id);
  put(given, "note", options.note);
  if (options.days) given.with("days", *options.days);
  return session.call(given, [&](const boost::json::value& answer) {
    if (truth_of(answer, "added")) {
      session.say({"{} is on the list.", "{} をリストに登録しました。"}, options.address);
    } else {
      session.say({"The entry of {} was changed.", "{} の登録を変更しました。"}, options.address);
    }
  });
}

int suppression_remove(Session& session, const SuppressionRemove& options) {
  Given given =
      of_list(calls::kRemoveSuppression, options.account).with("address", options.address);
  put(given, "reason", options.reason);
  put(given, "list_id", options.list_id);
  put(given, "why", options.why);
  return session.call(given, [&](const boost::json::value& answer) {
    session.say({"Entries removed: {}.", "解除した登録: {} 件。"}, number_of(answer, "removed"));
  });
}

int suppression_import(Session& session, const SuppressionFile& options) {
  std::ifstream file(options.file, std::ios::binary);
  if (!file) {
    return session.fail(session.words({"cannot read {}", "{} を読めません"}, options.file));
  }
  if (const auto wrong = wrong_encoding(file)) {
    return session.fail(options.file + ": " + std::string(wrong->in(session.language())));
  }
  file.clear();
  if (!file.seekg(0)) {
    return session.fail(session.words({"{} cannot be read twice: save it as a file first",
                                       "{} は 2 回読めません。ファイルに保存してください"},
                                      options.file));
  }
  CsvSlices slices(file, session.is_remote() ? kWholeOctets : kSliceOctets);
  Imported all;
  for (std::string slice = slices.next(); !slice.empty(); slice = slices.next()) {
    const int status = session.ask_for(
        of_list(calls::kImportSuppressions, options.account).with("csv", std::move(slice)),
        [&](const boost::json::value& answer) { all.take(session, slices, answer); });
    if (status != 0) return status;
  }
  session.say({"Added: {}, changed: {}, failed: {}.", "追加: {} 件、変更: {} 件、失敗: {} 件。"},
              all.added, all.changed, all.failed);
  return all.failed > 0 ? 1 : 0;
}

int suppression_export(Session& session, const std::string& account) {
  std::string after;
  bool first = true;
  while (true) {
    Given given = of_list(calls::kExportSuppressions, account);
    put(given, "after", after);
    const int status = session.ask_for(given, [&](const boost::json::value& answer) {
      if (std::exchange(first, false)) print_rows(session, text_of(answer, "header"));
      print_rows(session, text_of(answer, "csv"));
      after = text_of(answer, "next");
    });
    if (status != 0 || after.empty()) return status;
  }
}

}  // namespace todoku::cli
