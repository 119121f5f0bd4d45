// SPDX-License-Identifier: Apache-2.0
#include "intake/suppression_lists.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "async/yield.h"
#include "base/bytes.h"
#include "base/date_time.h"
#include "base/log.h"
#include "base/utf8.h"
#include "intake/changes.h"
#include "intake/csv.h"

namespace todoku::intake {
namespace {

constexpr std::size_t kRowsOfTransaction = 500;
constexpr std::int64_t kDaysMax = 3'650;
constexpr std::array<std::string_view, 9> kColumns{"email",   "reason",        "scope",
                                                   "list_id", "note",          "expires",
                                                   "created", "response_code", "message"};

Text opt_out_stays() {
  return {"an opt-out does not expire.", "配信停止に期限は付けられません。"};
}

Refusal no_such_cursor() {
  Refusal refusal{ErrorKind::invalid_input, {}};
  refusal.problems.add({"cursor"},
                       {"is none that a list has given.", "一覧が返したカーソルではありません。"});
  return refusal;
}

std::string to_cursor(const store::SuppressionPlace& place) {
  return fmt::format("{}.{}.{}.{}", place.time_ms, place.number, place.reason, place.list_id);
}

std::optional<store::SuppressionPlace> from_cursor(std::string_view text) {
  store::SuppressionPlace place;
  for (std::int64_t* const number : {&place.time_ms, &place.number, &place.reason}) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    const auto octets = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || octets >= text.size() || text[octets] != '.') return std::nullopt;
    text.remove_prefix(octets + 1);
  }
  if (!is_utf8(text) || text.contains('\0') || text.size() > 4 * kListIdCharactersMax) {
    return std::nullopt;
  }
  place.list_id = text;
  return place;
}

void check_short_text(std::string_view text, std::size_t max, std::string_view field,
                      Problems& problems) {
  const bool controls = std::ranges::any_of(text, [](char c) {
    const auto octet = static_cast<unsigned char>(c);
    return octet < 0x20 || octet == 0x7F;
  });
  if (controls) problems.add({std::string(field)}, texts::control_character());
  if (!is_utf8(text)) problems.add({std::string(field)}, texts::not_utf8());
  if (utf8_length(text) > max) problems.add({std::string(field)}, texts::length(0, max));
}

// What an entry is for where nobody says.
StopScope usual_scope(StopReason reason, const std::string& list_id) {
  if (!list_id.empty()) return StopScope::list;
  // Why addresses were on somebody's list is not known: a password reset is not to be lost for it.
  const bool is_list = reason == StopReason::imported;
  return is_opt_out(reason) || is_list ? StopScope::advertisements : StopScope::all;
}

void add_cause(const SuppressionRequest& request, store::NewSuppression& entry,
               Problems& problems) {
  entry.cause.text = request.response_message;
  if (!is_utf8(entry.cause.text)) problems.add({"message"}, texts::not_utf8());
  if (request.response_code.empty()) return;
  const auto& digits = request.response_code;
  const auto [end, error] =
      std::from_chars(digits.data(), digits.data() + digits.size(), entry.cause.code);
  if (error != std::errc() || end != digits.data() + digits.size() || entry.cause.code < 0 ||
      entry.cause.code > 999) {
    problems.add({"response_code"},
                 {"must be a number from 0 to 999.", "0から999の数値で指定してください。"});
  }
}

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

// Reads the rows of a CSV into requests, with their numbers.
class RowReader {
 public:
  struct Row {
    std::uint64_t number = 0;
    SuppressionRequest request;
  };

  std::vector<Row> rows;
  std::vector<BadSuppressionRow> bad;

  void read(std::string_view csv) {
    CsvReader reader{CsvLimits{}};
    const CsvReader::Rows handlers{.good = [this](CsvRow& row) { return take(row); },
                                   .bad = [this](const CsvBadRow& row) -> Result<void> {
                                     bad.push_back({row.number, row.reason});
                                     return {};
                                   }};
    // Neither handler fails.
    (void)reader.push(csv, handlers);
    (void)reader.finish(handlers);
  }

 private:
  Result<void> take(CsvRow& row) {
    if (!std::exchange(begun_, true) && read_header(row)) return {};
    Row& taken = rows.emplace_back();
    taken.number = row.number;
    SuppressionRequest& request = taken.request;
    for (std::size_t i = 0; i < std::min(row.fields.size(), fields_.size()); ++i) {
      const std::string_view value = read_back_csv_field(row.fields[i]);
      if (fields_[i] == "email") request.address = value;
      if (fields_[i] == "reason") request.reason = value;
      if (fields_[i] == "scope") request.scope = value;
      if (fields_[i] == "list_id") request.list_id = value;
      if (fields_[i] == "note") request.note = value;
      if (fields_[i] == "expires") request.expires = value;
      if (fields_[i] == "response_code") request.response_code = value;
      if (fields_[i] == "message") request.response_message = value;
    }
    return {};
  }

  // False: it is a row like any other.
  bool read_header(const CsvRow& row) {
    std::vector<std::string> names;
    for (const std::string& field : row.fields) names.push_back(to_ascii_lower(trim(field)));
    for (std::string& name : names) {
      if (name == "address" || name == "domain") name = "email";
    }
    if (std::ranges::find(names, "email") == names.end()) return false;
    fields_ = std::move(names);
    return true;
  }

  bool begun_ = false;
  std::vector<std::string> fields_{"email"};
};

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

}  // namespace

store::NewSuppression check_suppression(const SuppressionRequest& request,
                                        store::AccountKey account, StopReason usual,
                                        Problems& problems) {
  store::NewSuppression entry{.account = account, .subject = {}};
  auto subject = stop_subject(request.address);
  if (subject) {
    entry.subject = std::move(*subject);
  } else if (request.address.empty()) {
    problems.add({"email"}, texts::required());
  } else {
    problems.add({"email"}, texts::invalid_email(subject.error().detail));
  }
  entry.reason = usual;
  if (!request.reason.empty()) {
    const auto reason = parse_stop_reason(request.reason);
    if (reason) entry.reason = *reason;
    if (!reason) {
      problems.add({"reason"},
                   texts::not_one_of(request.reason,
                                     "hard_error, complaint, unsubscribe, manual, imported"));
    }
  }
  entry.list_id = request.list_id;
  check_short_text(entry.list_id, kListIdCharactersMax, "list_id", problems);
  entry.scope = usual_scope(entry.reason, entry.list_id);
  if (!request.scope.empty()) {
    const auto scope = parse_stop_scope(request.scope);
    if (scope) entry.scope = *scope;
    if (!scope) {
      problems.add({"scope"}, texts::not_one_of(request.scope, "all, advertisements, list"));
    }
  }
  if (entry.scope == StopScope::list && entry.list_id.empty()) {
    problems.add({"list_id"}, texts::required());
  }
  if (entry.scope != StopScope::list && !entry.list_id.empty()) {
    problems.add({"scope"}, {"is list where list_id is given.",
                             "list_idを指定する場合はlistにしてください。"});
  }
  if (is_opt_out(entry.reason) && entry.scope == StopScope::all) {
    problems.add(
        {"scope"},
        {"of an opt-out or a complaint is advertisements or list: mail that somebody needs, "
         "such as a password reset, is always sent.",
         "配信停止・苦情ではadvertisementsかlistにしてください。パスワードの再設定など本人に"
         "必要なメールは必ず送られます。"});
  }
  entry.note = request.note;
  check_short_text(entry.note, store::kStopTextOctetsMax, "note", problems);
  add_cause(request, entry, problems);
  if (request.days) {
    if (*request.days < 1 || *request.days > kDaysMax) {
      problems.add({"days"}, {fmt::format("must be a number from 1 to {}.", kDaysMax),
                              fmt::format("1から{}の数値で指定してください。", kDaysMax)});
    } else if (is_opt_out(entry.reason)) {
      problems.add({"days"}, opt_out_stays());
    } else {
      entry.lasts = std::chrono::hours(24 * *request.days);
    }
  }
  return entry;
}

Task<Answer<bool>> SuppressionLists::add(store::AccountKey account, SuppressionRequest request,
                                         Repeatable repeatable) {
  Problems problems;
  std::vector<store::NewSuppression> entries{
      check_suppression(request, account, StopReason::manual, problems)};
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  auto made =
      co_await change<bool>(store_, store::WritePriority::accept,
                            [entries, repeatable](store::WriteTransaction& writer) -> Answer<bool> {
                              const auto added = writer.put_suppressions(entries);
                              if (!added) return refuse(refusal_of(added.error()));
                              auto kept = keep_answer(writer, repeatable, *added);
                              if (!kept) return refuse(std::move(kept.error()));
                              return *added > 0;
                            });
  if (!made) co_return refuse(std::move(made.error()));
  log::info("suppression added", {{"account", static_cast<std::int64_t>(account)},
                                  {"reason", to_string(entries.front().reason)},
                                  {"scope", to_string(entries.front().scope)}});
  co_return *made;
}

Task<Answer<std::vector<store::Suppression>>> SuppressionLists::remove(store::AccountKey account,
                                                                       SuppressionRemoval removal,
                                                                       std::string actor) {
  using Removed = std::vector<store::Suppression>;
  Problems problems;
  const auto subject = stop_subject(removal.address);
  if (!subject) {
    problems.add({"email"}, removal.address.empty() ? texts::required()
                                                    : texts::invalid_email(subject.error().detail));
  }
  std::optional<StopReason> reason;
  if (!removal.reason.empty()) {
    reason = parse_stop_reason(removal.reason);
    if (!reason) {
      problems.add({"reason"},
                   texts::not_one_of(removal.reason,
                                     "hard_error, complaint, unsubscribe, manual, imported"));
    }
  }
  check_short_text(removal.why, store::kStopTextOctetsMax, "why", problems);
  if (removal.list_id)
    check_short_text(*removal.list_id, kListIdCharactersMax, "list_id", problems);
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  const bool says_why = !trim(removal.why).empty();
  auto removed = co_await store_.write(
      store::WritePriority::accept,
      [=, subject = *subject,
       list = removal.list_id](store::WriteTransaction& writer) -> Result<Removed> {
        auto gone = writer.remove_suppressions(account, subject, reason, list, removal.why, actor);
        if (!gone || says_why) return gone;
        const bool opted_out = std::ranges::any_of(
            *gone, [](const store::Suppression& entry) { return is_opt_out(entry.reason); });
        // The transaction is given up with it.
        if (opted_out) return fail(ErrorKind::conflict, "an opt-out without a reason");
        return gone;
      });
  if (!removed && removed.error().kind == ErrorKind::conflict && !says_why) {
    problems.add({"why"},
                 {"its reader has opted out or complained: say why this is taken back.",
                  "本人が配信停止または苦情を申し出ています。取り消す理由を指定してください。"});
    co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  }
  if (!removed) co_return refuse(refusal_of_change(removed.error()));
  if (removed->empty()) {
    co_return refuse(ErrorKind::not_found, texts::no_data_found());
  }
  for (const store::Suppression& entry : *removed) {
    log::info("suppression removed", {{"account", static_cast<std::int64_t>(account)},
                                      {"reason", to_string(entry.reason)},
                                      {"actor", actor},
                                      {"why", removal.why}});
  }
  co_return std::move(*removed);
}

Task<Answer<SuppressionLook>> SuppressionLists::look(store::AccountKey account,
                                                     std::string address) {
  auto subject = stop_subject(address);
  if (!subject) {
    Problems problems;
    problems.add({"email"}, address.empty() ? texts::required()
                                            : texts::invalid_email(subject.error().detail));
    co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  }
  auto found = co_await store_.read(
      [account, subject = *subject](store::ReadTransaction& reader) -> Result<SuppressionLook> {
        SuppressionLook look{.subject = subject, .entries = {}, .removals = {}};
        const std::vector<std::string> subjects{subject};
        auto stopped = reader.stops_of(account, subjects);
        if (!stopped) return fail(std::move(stopped.error()));
        for (store::StoppedSubject& each : *stopped) look.entries.push_back(std::move(each.entry));
        auto removals = reader.removals_of(account, subject);
        if (!removals) return fail(std::move(removals.error()));
        look.removals = std::move(*removals);
        return look;
      });
  if (!found) co_return refuse(refusal_of(found.error()));
  co_return std::move(*found);
}

Task<Answer<SuppressionRows>> SuppressionLists::page(store::AccountKey account, std::string cursor,
                                                     std::int64_t limit) {
  std::optional<store::SuppressionPlace> place;
  if (!cursor.empty()) {
    place = from_cursor(cursor);
    if (!place) co_return refuse(no_such_cursor());
  }
  const auto page = co_await store_.read([=](store::ReadTransaction& reader) {
    return reader.suppressions(account, place, std::clamp<std::int64_t>(limit, 1, kPageMax));
  });
  if (!page) co_return refuse(refusal_of(page.error()));
  SuppressionRows rows{.entries = page->entries, .next = {}};
  if (page->next) rows.next = to_cursor(*page->next);
  co_return rows;
}

Task<Answer<void>> SuppressionLists::put(std::vector<store::NewSuppression> entries,
                                         ImportedSuppressions& told) {
  if (entries.empty()) co_return Answer<void>{};
  const auto count = static_cast<std::int64_t>(entries.size());
  const auto made =
      co_await store_.write(store::WritePriority::import,
                            [entries = std::move(entries)](store::WriteTransaction& writer) {
                              return writer.put_suppressions(entries);
                            });
  if (!made) co_return refuse(refusal_of_change(made.error()));
  told.added += *made;
  told.changed += count - *made;
  co_return Answer<void>{};
}

Task<Answer<ImportedSuppressions>> SuppressionLists::import(store::AccountKey account,
                                                            std::string csv) {
  RowReader reader;
  reader.read(csv);
  ImportedSuppressions told;
  told.failed = static_cast<std::int64_t>(reader.bad.size());
  told.errors = std::move(reader.bad);
  std::vector<store::NewSuppression> entries;
  std::size_t checked = 0;
  for (const RowReader::Row& row : reader.rows) {
    if (++checked % kRowsOfTransaction == 0) co_await async::give_way();
    Problems problems;
    auto entry = check_suppression(row.request, account, StopReason::imported, problems);
    set_expiry(row.request, store_.clock().now(), entry, problems);
    if (!problems.empty()) {
      ++told.failed;
      told.errors.push_back({row.number, sentence_of(problems)});
      if (told.errors.size() > 2 * kErrorsTold) told.errors.resize(kErrorsTold);
      continue;
    }
    entries.push_back(std::move(entry));
    if (entries.size() < kRowsOfTransaction) continue;
    auto done = co_await put(std::exchange(entries, {}), told);
    if (!done) co_return refuse(std::move(done.error()));
  }
  auto done = co_await put(std::move(entries), told);
  if (!done) co_return refuse(std::move(done.error()));
  std::ranges::sort(told.errors, {}, &BadSuppressionRow::row);
  if (told.errors.size() > kErrorsTold) told.errors.resize(kErrorsTold);
  log::info("suppressions imported", {{"account", static_cast<std::int64_t>(account)},
                                      {"added", told.added},
                                      {"changed", told.changed},
                                      {"failed", told.failed}});
  co_return told;
}

std::string suppression_csv_header() {
  std::string out;
  for (const std::string_view name : kColumns) {
    if (!out.empty()) out += ',';
    append_csv_field(out, name);
  }
  return out + "\r\n";
}

void append_suppression_csv(std::string& out, const store::Suppression& entry) {
  const std::string code = entry.cause.code == 0 ? "" : fmt::format("{}", entry.cause.code);
  const std::string expires = entry.expires ? format_date_time(*entry.expires) : "";
  const std::string created = format_date_time(entry.created);
  bool first = true;
  for (const std::string_view cell :
       {std::string_view(entry.subject), to_string(entry.reason), to_string(entry.scope),
        std::string_view(entry.list_id), std::string_view(entry.note), std::string_view(expires),
        std::string_view(created), std::string_view(code), std::string_view(entry.cause.text)}) {
    if (!std::exchange(first, false)) out += ',';
    append_csv_field(out, cell);
  }
  out += "\r\n";
}

}  // namespace todoku::intake
