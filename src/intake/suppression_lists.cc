// SPDX-License-Identifier: Apache-2.0
#include "intake/suppression_lists.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/date_time.h"
#include "base/log.h"
#include "base/utf8.h"
#include "intake/changes.h"
#include "intake/check.h"
#include "intake/csv.h"
#include "mail/invisible.h"
#include "store/account_name.h"

namespace todoku::intake {
namespace {

constexpr std::int64_t kDaysMax = 3'650;
constexpr int kReadsOfPage = 30;
constexpr std::array<std::string_view, 9> kColumns{"email",   "reason",        "scope",
                                                   "list_id", "note",          "expires",
                                                   "created", "response_code", "message"};

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
  if (utf8_length(entry.cause.text) > store::kStopTextCharactersMax) {
    problems.add({"message"}, texts::length(0, store::kStopTextCharactersMax));
  }
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

// The subject of an address or a domain as somebody wrote it; empty if there was a problem.
std::string check_subject(std::string_view address, Problems& problems) {
  auto subject = stop_subject(address);
  if (subject) return std::move(*subject);
  problems.add({"email"}, trim_invisible(address).empty()
                              ? texts::required()
                              : texts::invalid_email(subject.error().detail));
  return {};
}

Refusal too_many_entries() {
  Refusal refusal{ErrorKind::limit_exceeded, {}};
  refusal.problems.add({"email"}, subject_is_full());
  return refusal;
}

// On over what stops nothing (one hard error, an expired entry), in steps that grow, until there is
// something to show: who goes through a list by pages need not know of it.
Result<store::SuppressionPage> next_page(store::ReadTransaction& reader, store::AccountKey account,
                                         std::optional<store::SuppressionPlace> place,
                                         std::int64_t limit) {
  std::int64_t step = limit;
  for (int reads = 1;; ++reads) {
    auto page = reader.suppressions(account, place, step);
    if (!page) return page;
    if (page->entries.size() > static_cast<std::size_t>(limit)) {
      step = std::max(limit, step / 2);
      continue;
    }
    if (!page->entries.empty() || !page->next || reads >= kReadsOfPage) return page;
    place = std::move(page->next);
    step = std::min(2 * step, SuppressionLists::kPageMax);
  }
}

}  // namespace

Text opt_out_stays() {
  return {"an opt-out does not expire.", "配信停止に期限は付けられません。"};
}

Text subject_is_full() {
  return {fmt::format("has {} entries already, as many as one address may have.",
                      store::kStopsOfSubjectMax),
          fmt::format("登録がすでに{}件あり、1つのアドレスの上限に達しています。",
                      store::kStopsOfSubjectMax)};
}

store::NewSuppression check_suppression(const SuppressionRequest& request,
                                        store::AccountKey account, StopReason usual,
                                        Problems& problems) {
  store::NewSuppression entry{.account = account, .subject = {}};
  entry.subject = check_subject(request.address, problems);
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
  check_label(entry.list_id, 0, kListIdCharactersMax, {"list_id"}, problems);
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
  check_short_text(entry.note, store::kStopTextCharactersMax, "note", problems);
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

Task<std::string> SuppressionLists::name_of(store::AccountKey account) {
  const auto name =
      co_await store_.read([account](store::ReadTransaction& reader) -> Result<std::string> {
        return store::account_name(reader, account);
      });
  co_return name.value_or(std::string());
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
                              const auto put = writer.put_suppressions(entries);
                              if (!put) return refuse(refusal_of(put.error()));
                              if (!put->refused.empty()) return refuse(too_many_entries());
                              auto kept = keep_answer(writer, repeatable, put->made);
                              if (!kept) return refuse(std::move(kept.error()));
                              return put->made > 0;
                            });
  if (!made) co_return refuse(std::move(made.error()));
  const std::string name = co_await name_of(account);
  log::info("suppression added", {{"account", name},
                                  {"reason", to_string(entries.front().reason)},
                                  {"scope", to_string(entries.front().scope)}});
  co_return *made;
}

Task<Answer<std::vector<store::Suppression>>> SuppressionLists::remove(store::AccountKey account,
                                                                       SuppressionRemoval removal,
                                                                       std::string actor) {
  using Removed = std::vector<store::Suppression>;
  Problems problems;
  const std::string subject = check_subject(removal.address, problems);
  std::optional<StopReason> reason;
  if (!removal.reason.empty()) {
    reason = parse_stop_reason(removal.reason);
    if (!reason) {
      problems.add({"reason"},
                   texts::not_one_of(removal.reason,
                                     "hard_error, complaint, unsubscribe, manual, imported"));
    }
  }
  check_short_text(removal.why, store::kStopTextCharactersMax, "why", problems);
  if (removal.list_id)
    check_short_text(*removal.list_id, kListIdCharactersMax, "list_id", problems);
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});

  const bool says_why = !trim_invisible(removal.why).empty();
  auto removed = co_await store_.write(
      store::WritePriority::accept,
      [=, list = removal.list_id](store::WriteTransaction& writer) -> Result<Removed> {
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
  const std::string name = co_await name_of(account);
  for (const store::Suppression& entry : *removed) {
    log::info("suppression removed", {{"account", name},
                                      {"reason", to_string(entry.reason)},
                                      {"actor", actor},
                                      {"why", removal.why}});
  }
  co_return std::move(*removed);
}

Task<Answer<SuppressionLook>> SuppressionLists::look(store::AccountKey account,
                                                     std::string address) {
  Problems problems;
  const std::string subject = check_subject(address, problems);
  if (!problems.empty()) co_return refuse({ErrorKind::invalid_input, std::move(problems)});
  auto found = co_await store_.read(
      [account, subject](store::ReadTransaction& reader) -> Result<SuppressionLook> {
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
    return next_page(reader, account, place, std::clamp<std::int64_t>(limit, 1, kPageMax));
  });
  if (!page) co_return refuse(refusal_of(page.error()));
  SuppressionRows rows{.entries = page->entries, .next = {}};
  if (page->next) rows.next = to_cursor(*page->next);
  co_return rows;
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
