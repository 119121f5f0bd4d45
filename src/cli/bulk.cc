// SPDX-License-Identifier: Apache-2.0
// todoku bulk send|commit|show|pause|resume|stop|pace|quiet-hours|cancel|delete
#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/date_time.h"
#include "base/printable.h"
#include "cli/api_session.h"
#include "cli/delivery_counts.h"
#include "cli/import_job.h"
#include "cli/progress.h"
#include "cli/sender_commands.h"
#include "cli/user_files.h"
#include "explain/own_words.h"
#include "mail/pace.h"
#include "mail/quiet_hours.h"

namespace todoku::cli {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kCsvOctetsMax = std::size_t{256} << 20U;
constexpr std::string_view kPreflightTold = "X-Todoku-Preflight";  // of a commit (docs/api.md)

ApiRequest to_get(std::string target, std::string answered_with) {
  return {.target = std::move(target), .answered_with = std::move(answered_with)};
}

std::string of_delivery(std::int64_t delivery, std::string_view rest = "") {
  return fmt::format("/deliveries/{}{}", delivery, rest);
}

// A key of the command's and a step's name: a repeated command makes nothing twice.
std::string key_of(const BulkSend& options, std::string_view step) {
  return fmt::format("{}-{}", options.idempotency_key, step);
}

// The id that an answer gives to what was made; 0 after a sentence.
std::int64_t made(const std::unique_ptr<ReadAnswer>& read, std::string_view member) {
  return read == nullptr ? 0 : number_of(read->value, member);
}

void write_pace(http::JsonWriter& json, const Pace& pace) {
  json.begin_object();
  json.member("mails", pace.mails);
  json.member("per", unit_of(pace));
  json.end_object();
}

void write_quiet_hours(http::JsonWriter& json, const QuietHours& hours) {
  json.begin_object();
  json.member("from", time_of_day(hours.from));
  json.member("until", time_of_day(hours.until));
  json.member("time_zone", hours.zone);
  json.end_object();
}

// How a new one is to go.
struct WantedSteering {
  std::optional<Pace> pace;
  std::optional<QuietHours> quiet_hours;
};

// False after a sentence.
bool read_wanted(ApiSession& api, const BulkSend& options, WantedSteering& wanted) {
  if (!options.pace.empty()) {
    wanted.pace = parse_pace(options.pace);
    if (!wanted.pace) {
      api.fail_with(kWrongWords,
                    api.session().words({"--pace {}: not a pace; give 600/minute or 10000/hour (at "
                                         "most {})",
                                         "--pace {}: 600/minute または 10000/hour（最大 {}）の形で"
                                         "指定してください"},
                                        options.pace, kPaceMailsMax));
      return false;
    }
  }
  if (options.quiet_hours.empty()) return true;
  auto hours = parse_quiet_hours(fmt::format("{} {}", options.quiet_hours, options.zone));
  if (!hours) {
    api.fail_with(kWrongWords, fmt::format("--quiet-hours: {}", hours.error().detail));
    return false;
  }
  wanted.quiet_hours = std::move(*hours);
  return true;
}

std::int64_t begin(ApiSession& api, const BulkSend& options, const MessageParts& parts,
                   const WantedSteering& wanted) {
  http::JsonWriter json;
  json.begin_object();
  if (const auto written = write_fields(json, options.fields, parts); !written) {
    api.fail_with(kWrongWords, written.error().detail);
    return 0;
  }
  if (wanted.pace) {
    json.key("pace");
    write_pace(json, *wanted.pace);
  }
  if (wanted.quiet_hours) {
    json.key("quiet_hours");
    write_quiet_hours(json, *wanted.quiet_hours);
  }
  json.end_object();
  ApiRequest request{.method = "POST",
                     .target = "/deliveries/bulk/begin",
                     .body = {},
                     .idempotency_key = key_of(options, "begin"),
                     .answered_with = "delivery_id"};
  set_body(request, json.take(), form_files(parts));
  return made(api.ask(request), "delivery_id");
}

std::int64_t begin_import(ApiSession& api, std::int64_t delivery, const BulkSend& options,
                          std::string csv) {
  http::JsonWriter json;
  json.begin_object();
  json.member("ignore_errors", options.ignore_errors);
  json.member("keep_duplicates", options.keep_duplicates);
  json.end_object();
  ApiRequest request{.method = "POST",
                     .target = of_delivery(delivery, "/emails/import"),
                     .body = {},
                     .idempotency_key = key_of(options, "import"),
                     .answered_with = "job_id",
                     .timeout = kUploadTimeout};
  std::vector<FormFile> files;
  files.push_back({.name = "file",
                   .file_name = std::filesystem::path(options.csv).filename().string(),
                   .type = "text/csv",
                   .content = std::move(csv)});
  set_body(request, json.take(), files);
  return made(api.ask(request), "job_id");
}

// What the engine finds wrong with one that it commits all the same.
void tell_preflight(ApiSession& api, std::int64_t delivery, const ReadAnswer& read) {
  const std::string told = printable(read.answer.headers.get(kPreflightTold));
  if (told.empty() || told.starts_with("pass") || told == "not_determined") return;
  Session& session = api.session();
  session.err() << session.words(
                       {"Preflight: {0}. What that means: todoku deliveries preflight {1}",
                        "配信前の確認: {0}。内容を見るには: todoku deliveries preflight {1}"},
                       told, delivery)
                << '\n';
}

std::unique_ptr<ReadAnswer> commit(ApiSession& api, std::int64_t delivery, const std::string& at,
                                   std::string key) {
  ApiRequest request{.method = "PATCH",
                     .target = fmt::format("/deliveries/bulk/commit/{}", delivery),
                     .body = "{}",
                     .idempotency_key = std::move(key),
                     .answered_with = "delivery_id"};
  if (at == "now") {
    request.target += "/immediate";
  } else {
    http::JsonWriter json;
    json.begin_object();
    json.member("reservation_time", at);
    json.end_object();
    request.body = json.take();
  }
  auto read = api.ask(request);
  if (read != nullptr) tell_preflight(api, delivery, *read);
  return read;
}

// What waits though nobody has paused it, and how it is let go.
void print_holds(ApiSession& api, const boost::json::value& value) {
  const Session& session = api.session();
  const auto& holds = list_of(value, "holds");
  for (const auto& hold : holds) {
    const std::string receiver = text_of(hold, "receiver");
    const std::string why = explain::own_words(text_of(hold, "because"), session.language());
    const std::string words =
        receiver.empty() ? session.words({"all of it ({0})", "全体（{0}）"}, why)
                         : session.words({"at {0} ({1})", "{0} 宛て（{1}）"}, receiver, why);
    fmt::print(api.out(), "{:<12} {}\n", "held", words);
  }
  if (holds.empty()) return;
  api.out() << session.words({"To let it go on: todoku bulk resume {0}",
                              "再開するには: todoku bulk resume {0}"},
                             number_of(value, "delivery_id"))
            << '\n';
}

// nullptr: it is not there, or null.
const boost::json::value* member_said(const boost::json::value& of, std::string_view name) {
  const auto* const object = of.if_object();
  const auto* const found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

// That its pace is too slow for its life; empty: it is not.
std::string too_slow(ApiSession& api, const boost::json::value& progress) {
  const auto* const late = member_said(progress, "expected_to_expire");
  if (late == nullptr) return {};
  return api.session().words(
      {"at this pace about {0} of {1} mails are not begun before {2}, when its life ends",
       "この速度では、{1} 通のうち約 {0} 通が期限の {2} までに送られません"},
      number_of(*late, "mails"), number_of(progress, "total"), text_of(*late, "at"));
}

// What its sender wants of it.
void print_steering(ApiSession& api, const boost::json::value& value) {
  std::ostream& out = api.out();
  if (const auto* const pace = member_said(value, "pace")) {
    fmt::print(out, "{:<12} {}/{}\n", "pace", number_of(*pace, "mails"), text_of(*pace, "per"));
  }
  if (const std::string late = too_slow(api, value); !late.empty()) {
    fmt::print(out, "{:<12} {}\n", "too_slow", late);
  }
  if (const auto* const quiet = member_said(value, "quiet_hours")) {
    fmt::print(out, "{:<12} {}-{} {}\n", "quiet_hours", text_of(*quiet, "from"),
               text_of(*quiet, "until"), text_of(*quiet, "time_zone"));
  }
  if (const auto* const waits = member_said(value, "waits")) {
    const Session& session = api.session();
    const bool is_quiet = text_of(*waits, "because") == "quiet_hours";
    fmt::print(out, "{:<12} {}\n", "waits",
               is_quiet ? session.words({"until {0} (quiet hours)", "{0} まで（静音時間帯）"},
                                        text_of(*waits, "until"))
                        : session.words({"until {0} (its pace)", "{0} まで（送信速度）"},
                                        text_of(*waits, "until")));
  }
}

void print_progress(ApiSession& api, const boost::json::value& value) {
  std::ostream& out = api.out();
  fmt::print(out, "{:<12} {}\n", "delivery_id", number_of(value, "delivery_id"));
  fmt::print(out, "{:<12} {}\n", "state", text_of(value, "state"));
  const std::string approval = text_of(value, "approval");
  if (!approval.empty()) fmt::print(out, "{:<12} {}\n", "approval", approval);
  for (const std::string_view member : {"started", "expires", "canary_until", "finished"}) {
    const std::string time = text_of(value, member);
    if (!time.empty()) fmt::print(out, "{:<12} {}\n", member, time);
  }
  fmt::print(out, "{:<12} {}\n", "total", number_of(value, "total"));
  for (const std::string_view state : kRecipientStates) {
    fmt::print(out, "{:<12} {}\n", state, number_of(value, state));
  }
  print_steering(api, value);
  print_holds(api, value);
}

// Of a delivery that its watcher leaves.
int leave_going(ApiSession& api, std::int64_t delivery) {
  Session& session = api.session();
  session.err() << session.words({"Delivery {0} goes on. To look again: todoku bulk show {0} "
                                  "--follow; to end it: todoku bulk stop {0}",
                                  "配信 {0} は続きます。状況を見るには: todoku bulk show {0} "
                                  "--follow。打ち切るには: todoku bulk stop {0}"},
                                 delivery)
                << '\n';
  return kInterrupted;
}

// Of one that does not go before somebody else has approved it: that may take days.
int leave_waiting(ApiSession& api, std::int64_t delivery) {
  Session& session = api.session();
  session.err() << session.words(
                       {"Delivery {0} waits until somebody else approves it, at the "
                        "console. To look again: todoku bulk show {0}; to take it back: "
                        "todoku bulk cancel {0}",
                        "配信 {0} は、別の利用者がコンソールで承認するまで待ちます。状況を"
                        "見るには: todoku bulk show {0}。取り下げるには: todoku bulk "
                        "cancel {0}"},
                       delivery)
                << '\n';
  return kDone;
}

// Until it has ended, or waits for approval, or the user leaves it: it goes on by itself then.
int follow(ApiSession& api, std::int64_t delivery) {
  Progress progress(api.host().terminal(), api.session().err());
  while (true) {
    const auto read = api.ask(to_get(of_delivery(delivery, "/progress"), "state"));
    if (read == nullptr) {
      progress.end();
      return api.status();
    }
    const std::string state = text_of(read->value, "state");
    progress.show({.label = state,
                   .done = done_of(read->value),
                   .total = number_of(read->value, "total"),
                   .rest = counts_of(read->value)});
    const bool waits = text_of(read->value, "approval") == "waiting";
    if (waits || has_ended(state)) {
      progress.end();
      if (api.json()) {
        api.print_json(*read);
      } else {
        print_progress(api, read->value);
      }
      if (waits) return leave_waiting(api, delivery);
      return state == "failed" ? kRefused : kDone;
    }
    if (api.wait(kBetweenLooks)) continue;
    progress.end();
    return leave_going(api, delivery);
  }
}

// What is left where it came to no commit, for certain.
int leave_draft(ApiSession& api, std::int64_t delivery, int status) {
  Session& session = api.session();
  session.err()
      << session.words(
             {"Nothing was sent. Delivery {0} is a draft: todoku bulk commit {0} --at now "
              "sends it once its list is in, todoku bulk delete {0} removes it.",
              "まだ送信していません。配信 {0} は下書きです。リストの取り込み後に todoku "
              "bulk commit {0} --at now で送信、todoku bulk delete {0} で削除できます。"},
             delivery)
      << '\n';
  return status;
}

// The same where its list did not come in. Whoever repeats the command by a key of its own goes on
// with the draft, and what is not told of a list's rows is in a file of the draft's; else nobody
// wants it any more.
int leave_empty_draft(ApiSession& api, std::int64_t delivery, int status, bool is_wanted) {
  Session& session = api.session();
  if (!is_wanted && api.exchange({.method = "DELETE", .target = of_delivery(delivery)})) {
    session.err() << session.words({"Nothing was sent, and the draft is removed again. Mend the "
                                    "list, and run todoku bulk send once more.",
                                    "まだ送信していません。下書きは削除しました。リストを直して、"
                                    "todoku bulk send をもう一度実行してください。"})
                  << '\n';
    return status;
  }
  session.err() << session.words(
                       {"Nothing was sent. Mend the list and put it into the draft {0} (todoku "
                        "bulk import {0} --list FILE), or run todoku bulk send again: it makes a "
                        "delivery of its own. The draft has no recipients yet: "
                        "todoku bulk delete {0} removes it.",
                        "まだ送信していません。リストを直して下書き {0} に取り込む（todoku bulk "
                        "import {0} --list ファイル）か、todoku bulk send をもう一度実行して"
                        "ください（新しい配信になります）。下書きにはまだ宛先がありません。"
                        "todoku bulk delete {0} で削除できます。"},
                       delivery)
                << '\n';
  return status;
}

int committed(ApiSession& api, std::int64_t delivery, const std::string& at, bool detach) {
  Session& session = api.session();
  const bool now = at == "now";
  if (api.json() && (detach || !now)) {
    api.out() << fmt::format("{{\"delivery_id\":{}}}\n", delivery);
  } else if (!api.json() && now) {
    session.say({"Delivery {} begins.", "配信 {} を開始します。"}, delivery);
  } else if (!api.json()) {
    const auto understood = parse_date_time(at);
    session.say({"Delivery {0} is reserved for {1}; todoku bulk cancel {0} takes that back.",
                 "配信 {0} を {1} に予約しました。todoku bulk cancel {0} で取り消せます。"},
                delivery, understood ? format_date_time(*understood) : at);
  }
  api.out().flush();
  return detach || !now ? kDone : follow(api, delivery);
}

// After a commit of which it is not known whether it was done. Another mailing would be sent to all
// a second time, so the delivery itself is looked at, and else it is said how to go on with it.
int after_lost_commit(ApiSession& api, std::int64_t delivery, const std::string& at, bool detach) {
  Session& session = api.session();
  const int status = api.status();
  const auto read = api.exchange(to_get(of_delivery(delivery, "/progress"), "state"));
  const std::string state = read ? text_of((*read)->value, "state") : std::string();
  const bool is_draft = state == "edit" || state == "importing";
  if (!state.empty() && !is_draft) {
    session.err() << session.words(
                         {"Delivery {} was committed: {}.", "配信 {} は確定されています: {}。"},
                         delivery, state)
                  << '\n';
    return status == kInterrupted ? leave_going(api, delivery)
                                  : committed(api, delivery, at, detach);
  }
  if (is_draft) {
    session.err() << session.words({"Delivery {} is still a draft, but its commit may be on the "
                                    "way.",
                                    "配信 {} はまだ下書きですが、このあと確定される可能性が"
                                    "あります。"},
                                   delivery)
                  << '\n';
  }
  session.err() << session.words(
                       {"To look: todoku bulk show {0}. todoku bulk commit {0} --at {1} sends it, "
                        "and not twice; another bulk send would be another mailing.",
                        "確認するには: todoku bulk show {0}。todoku bulk commit {0} --at {1} は"
                        "何度実行しても 1 回だけ送信します。bulk send をやり直すと、別の配信として"
                        "もう一度送信されます。"},
                       delivery, at)
                << '\n';
  return status;
}

// A start that the API would refuse, before a list has been sent for nothing; the rest is its to
// judge. True: it may be one.
bool may_begin_at(ApiSession& api, const std::string& at) {
  constexpr std::chrono::minutes kTolerance{1};  // as the API
  if (at == "now") return true;
  const auto start = parse_date_time(at);
  if (start && *start >= api.host().clock().now() - kTolerance) return true;
  Session& session = api.session();
  api.fail_with(kWrongWords,
                start
                    ? session.words({"--at {}: {} is in the past", "--at {}: {} は過去の日時です"},
                                    at, format_date_time(*start))
                    : session.words({"--at {}: now, or a time such as 2026-04-01T09:00:00+09:00",
                                     "--at {}: now、または 2026-04-01T09:00:00+09:00 のような日時を"
                                     "指定してください"},
                                    at));
  return false;
}

// One that is to be looked at before it goes: its list is in.
int keep_draft(ApiSession& api, std::int64_t delivery) {
  if (api.json()) {
    api.out() << fmt::format("{{\"delivery_id\":{}}}\n", delivery);
    return kDone;
  }
  api.session().say({"Delivery {0} is a draft; nothing was sent. To see it: todoku preview {0}, "
                     "todoku lint {0}. To send it: todoku bulk commit {0} --at now. To remove it: "
                     "todoku bulk delete {0}.",
                     "配信 {0} を下書きとして保存しました。まだ送信していません。確認するには: "
                     "todoku preview {0}、todoku lint {0}。送信するには: todoku bulk commit {0} "
                     "--at now。削除するには: todoku bulk delete {0}。"},
                    delivery);
  return kDone;
}

// The whole of it, with a key by which it can be repeated. `is_repeatable`: its user knows the key.
int send_bulk(ApiSession& api, const BulkSend& options, bool is_repeatable) {
  Session& session = api.session();
  if (!options.draft && !may_begin_at(api, options.at)) return api.status();
  WantedSteering wanted;
  if (!read_wanted(api, options, wanted)) return api.status();
  const auto parts = read_parts(options.fields, session.host().input());
  if (!parts) return api.fail_with(kWrongWords, parts.error().detail);
  if (const auto checked = check_encoding(options.fields, *parts, session.language()); !checked) {
    return api.fail_with(kWrongWords, checked.error().detail);
  }
  auto csv = read_octets(options.csv, session.host().input(), kCsvOctetsMax);
  if (!csv) return api.fail_with(kWrongWords, csv.error().detail);
  const std::int64_t delivery = begin(api, options, *parts, wanted);
  if (delivery == 0) {
    if (api.in_doubt()) {
      session.err() << session.words({"Nothing was sent; a draft may have been made: todoku bulk "
                                      "list",
                                      "まだ送信していません。下書きができている可能性があります: "
                                      "todoku bulk list"})
                    << '\n';
    }
    return api.status();
  }
  const std::int64_t job = begin_import(api, delivery, options, std::move(*csv));
  if (job == 0) {
    return api.in_doubt() ? leave_draft(api, delivery, api.status())
                          : leave_empty_draft(api, delivery, api.status(), is_repeatable);
  }
  ImportEnd end;
  if (const int status = await_import(api, job, end); status != kDone) {
    const bool is_wanted = is_repeatable || !end.is_told;
    return end.is_empty ? leave_empty_draft(api, delivery, status, is_wanted)
                        : leave_draft(api, delivery, status);
  }
  if (options.draft) return keep_draft(api, delivery);
  if (commit(api, delivery, options.at, key_of(options, "commit")) != nullptr) {
    return committed(api, delivery, options.at, options.detach);
  }
  return api.in_doubt() ? after_lost_commit(api, delivery, options.at, options.detach)
                        : leave_draft(api, delivery, api.status());
}

}  // namespace

int bulk_send(Session& session, const BulkSend& options) {
  ApiSession api(session);
  // From here on an end that the user wants is told what it leaves.
  if (!api.wait(milliseconds(0))) return kInterrupted;
  BulkSend keyed = options;
  if (keyed.idempotency_key.empty()) keyed.idempotency_key = fresh_key();
  return send_bulk(api, keyed, !options.idempotency_key.empty());
}

int bulk_commit(Session& session, std::int64_t delivery, const std::string& at) {
  ApiSession api(session);
  if (commit(api, delivery, at, fresh_key()) != nullptr) {
    return committed(api, delivery, at, true);
  }
  return api.in_doubt() ? after_lost_commit(api, delivery, at, true) : api.status();
}

int bulk_show(Session& session, std::int64_t delivery, bool until_end) {
  ApiSession api(session);
  if (until_end) return follow(api, delivery);
  return api.call(to_get(of_delivery(delivery, "/progress"), "state"),
                  [&](const ReadAnswer& read) { print_progress(api, read.value); });
}

int bulk_order(Session& session, std::int64_t delivery, const std::string& order) {
  ApiSession api(session);
  return api.call({.method = "PATCH",
                   .target = of_delivery(delivery, "/" + order),
                   .body = "{}",
                   .answered_with = "delivery_id"},
                  [&](const ReadAnswer&) {
                    session.say({"Delivery {}: {}.", "配信 {}: {} を受け付けました。"}, delivery,
                                order);
                  });
}

int bulk_pace(Session& session, std::int64_t delivery, const std::string& pace) {
  ApiSession api(session);
  ApiRequest request{
      .method = "DELETE", .target = of_delivery(delivery, "/pace"), .answered_with = "delivery_id"};
  if (pace != "none") {
    const auto wanted = parse_pace(pace);
    if (!wanted) {
      return api.fail_with(
          kWrongWords, session.words({"{}: not a pace; give 600/minute, 10000/hour (at most {}) or "
                                      "none",
                                      "{}: 600/minute、10000/hour（最大 {}）または none の形で指定"
                                      "してください"},
                                     pace, kPaceMailsMax));
    }
    request.method = "PUT";
    http::JsonWriter json;
    write_pace(json, *wanted);
    request.body = json.take();
  }
  return api.call(request, [&](const ReadAnswer&) {
    if (pace == "none") {
      session.say({"Delivery {} goes as fast as it can.", "配信 {} の速度制限を解除しました。"},
                  delivery);
    } else {
      session.say({"Delivery {} goes at {} at most.", "配信 {} の送信を最大 {} にしました。"},
                  delivery, pace);
      const auto read = api.exchange(to_get(of_delivery(delivery, "/progress"), "state"));
      const std::string late = read ? too_slow(api, (*read)->value) : std::string();
      if (!late.empty()) session.say({"But {}.", "ただし{}。"}, late);
    }
  });
}

int bulk_quiet_hours(Session& session, std::int64_t delivery, const std::string& hours,
                     const std::string& zone) {
  ApiSession api(session);
  ApiRequest request{.method = "DELETE",
                     .target = of_delivery(delivery, "/quiet_hours"),
                     .answered_with = "delivery_id"};
  if (hours != "none") {
    const auto wanted = parse_quiet_hours(fmt::format("{} {}", hours, zone));
    if (!wanted) return api.fail_with(kWrongWords, wanted.error().detail);
    request.method = "PUT";
    http::JsonWriter json;
    write_quiet_hours(json, *wanted);
    request.body = json.take();
  }
  return api.call(request, [&](const ReadAnswer&) {
    if (hours == "none") {
      session.say({"Delivery {} has no quiet hours.", "配信 {} の静音時間帯を解除しました。"},
                  delivery);
    } else {
      session.say({"Nothing of delivery {} is begun {} ({}).",
                   "配信 {} は {}（{}）のあいだ送信を始めません。"},
                  delivery, hours, zone);
    }
  });
}

int bulk_delete(Session& session, std::int64_t delivery) {
  ApiSession api(session);
  return api.call({.method = "DELETE", .target = of_delivery(delivery)}, [&](const ReadAnswer&) {
    session.say({"Delivery {} is deleted.", "配信 {} を削除しました。"}, delivery);
  });
}

}  // namespace todoku::cli
