// SPDX-License-Identifier: Apache-2.0
#include "cli/sender_words.h"

#include <initializer_list>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Validators.hpp>

#include "cli/profile.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

// As the API says them (docs/api.md). It ignores other words, and everything would be found.
constexpr auto kDeliveryTypes = {"TRANSACTION", "BULK", "SMTP", "ALL"};
constexpr auto kDeliveryStatuses = {"EDIT",    "IMPORTING", "RESERVE", "WAIT",
                                    "SENDING", "SENT",      "FAILED",  "ALL"};
constexpr auto kLogStatuses = {"SENT", "RETRY", "HARDERROR", "SOFTERROR", "DROP", "ALL"};

CLI::IsMember one_of(std::initializer_list<const char*> names) {
  return CLI::IsMember(std::vector<std::string>(names.begin(), names.end()));
}

}  // namespace

struct SenderWords::Values {
  Send send;
  BulkSend bulk;
  BulkImport import;
  Resend resend;
  std::int64_t id = 0;
  bool follow = false;
  std::string at;
  std::string pace;
  std::string hours;
  std::string zone = "Asia/Tokyo";
  DeliverySearch search;
  Preview preview;
  LogSearch logs;
  UsageSearch usage;
  EventSearch events;
  WebhookAdd webhook;
  std::string webhook_id;
  std::optional<std::int64_t> overlap_hours;
  WebhookReplay replay;
  TemplateEdit edit;
  std::string which_template;
  std::optional<std::int64_t> template_version;
  std::int64_t tag_days = 7;
  std::int64_t caught_most = 20;
  std::string caught_eml;
  std::string profile;
};

SenderWords::SenderWords(WordBook book)
    : book_(std::move(book)), values_(std::make_unique<Values>()) {
  add_send();
  add_resend();
  add_bulk();
  add_deliveries();
  add_preview();
  add_logs();
  add_usage();
  add_tags();
  add_events();
  add_webhook();
  add_templates();
  add_dev();
  add_profile();
}

SenderWords::~SenderWords() = default;

CLI::Option* SenderWords::option(CLI::App* command, const std::string& name, auto& target,
                                 const Sentence& help) {
  return command->add_option(name, target, std::string(help.in(book_.language)));
}

CLI::Option* SenderWords::several(CLI::App* command, const std::string& name,
                                  std::vector<std::string>& target, const Sentence& help) {
  return option(command, name, target, help)->allow_extra_args(false);
}

void SenderWords::flag(CLI::App* command, const std::string& name, bool& target,
                       const Sentence& help) {
  command->add_flag(name, target, std::string(help.in(book_.language)));
}

void SenderWords::id(CLI::App* command) {
  option(command, "ID", values_->id, {"The delivery's number", "配信の番号"})
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
}

void SenderWords::add_message(CLI::App* command, bool bulk) {
  MessageFields& fields = bulk ? values_->bulk.fields : values_->send.fields;
  option(command, "--from", fields.from,
         {"Whom it is from: an address, or \"Name <address>\"",
          "差出人（アドレス、または \"名前 <アドレス>\"）"});
  option(command, "--reply-to", fields.reply_to, {"Where answers go", "返信先"});
  option(command, "--subject", fields.subject, {"The subject", "件名"});
  option(command, "--template", fields.from_template,
         {"The template that says subject and texts: its id or its name",
          "件名と本文のテンプレート（番号または名前）"});
  option(
      command, "--template-version", fields.template_version,
      {"Which of its versions; else the latest", "テンプレートのバージョン。指定がなければ最新"});
  option(command, "--escape", fields.escape,
         {"html or none: how values stand in the HTML",
          "html または none（HTML に差し込む値のエスケープ）"});
  // A template says them, and may say whom it is from.
  command->parse_complete_callback([&fields, whole = bulk ? &values_->bulk : nullptr] {
    if (whole != nullptr && whole->at.empty() && !whole->draft) {
      throw CLI::RequiredError("--at or --draft");
    }
    if (!fields.from_template.empty()) return;
    if (fields.from.empty()) throw CLI::RequiredError("--from");
    if (fields.subject.empty()) throw CLI::RequiredError("--subject");
  });
  CLI::Option* text = option(command, "--text", fields.text, {"The text", "本文"});
  option(command, "--text-file", fields.text_file,
         {"A file with the text; -: standard input", "本文のファイル（- は標準入力）"})
      ->excludes(text);
  option(command, "--html-file", fields.html_file, {"A file with the HTML", "HTML 本文のファイル"});
  several(command, "--attach", fields.attach, {"A file to go along", "添付ファイル"});
  several(command, "--header", fields.headers,
          {"A header field, \"X-Order: 4711\"", "ヘッダー（\"X-Order: 4711\" など）"});
  several(command, "--tag", fields.tags, {"By which it is found later", "後で探すためのタグ"});
  option(command, "--purpose", fields.purpose,
         {"advertisement, notice or transactional", "advertisement、notice、transactional"});
  option(command, "--list-id", fields.list_id,
         {"The list that it belongs to", "メールが属するリスト"});
  option(command, "--encode", fields.encode, {"UTF-8 or ISO-2022-JP", "UTF-8 または ISO-2022-JP"});
  option(command, "--duplicate-policy", fields.duplicate_policy,
         {"at_least_once or at_most_once", "at_least_once または at_most_once"});
  option(command, "--unsubscribe-url", fields.unsubscribe_url,
         {"Where a click takes the address off the list", "配信停止の URL"});
  option(command, "--unsubscribe-mailto", fields.unsubscribe_mailto,
         {"The same by mail, mailto:...", "配信停止のメールアドレス（mailto:...）"});
  flag(command, "--unsubscribe-one-click", fields.unsubscribe_one_click,
       {"A POST to that https URL does it, so the mail may offer it (RFC 8058)",
        "その https の URL への POST で配信を停止できる（RFC 8058）"});
  option(command, "--idempotency-key",
         bulk ? values_->bulk.idempotency_key : values_->send.idempotency_key,
         {"Names what is done: done again with the same it is done once",
          "操作の名前。同じ名前で繰り返しても 1 度だけ実行される"});
}

void SenderWords::add_send() {
  CLI::App* command = book_.verb(book_.app, "send",
                                 {"Send a mail over the REST API", "REST API でメールを送信する"});
  Send& send = values_->send;
  several(command, "--to", send.to,
          {"Whom it goes to; several get a mail each", "宛先。複数指定すると 1 通ずつ送る"})
      ->required();
  several(command, "--cc", send.cc, {"Who gets it, too", "CC"});
  several(command, "--bcc", send.bcc, {"Who gets it unseen", "BCC"});
  add_message(command, false);
  several(command, "--insert-code", send.insert_codes,
          {"What stands in the place of a key, \"__name__=value\"",
           "差し込みコード（\"__name__=値\"）"});
  several(command, "--data", send.data,
          {"What a template puts in for {{name}}, \"name=value\"",
           "テンプレートの {{name}} に差し込む値（\"name=値\"）"});
  option(command, "--send-at", send.send_at,
         {"When; else at once", "送信日時。指定がなければ直ちに送る"});
  option(command, "--expires-in", send.expires_in,
         {"Seconds after which it is given up", "送信をあきらめるまでの秒数"})
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  option(command, "--reference", send.reference,
         {"What you call the mail, an order number: found by logs and explain --reference",
          "注文番号などの参照番号。logs と explain の --reference で探せる"});
  book_.speaks(command, [this](Session& s) { return send_mail(s, values_->send); });
}

void SenderWords::add_resend() {
  CLI::App* command = book_.verb(
      book_.app, "resend",
      {"Send one mail once more, also to another address", "メールを再送する（宛先の訂正も可）"});
  Resend& resend = values_->resend;
  option(command, "EMAIL_ID", resend.email,
         {"The mail's number, as todoku explain tells it",
          "メールの番号（todoku explain に表示されるもの）"})
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  option(command, "--to", resend.to,
         {"The address that was meant; else its recipient's", "正しい宛先。省略すると元の宛先"});
  option(command, "--idempotency-key", resend.idempotency_key,
         {"A name by which a repeat sends nothing twice", "再実行で二重に送らないための名前"});
  book_.speaks(command, [this](Session& s) { return resend_mail(s, values_->resend); });
}

void SenderWords::add_bulk() {
  CLI::App* group = book_.verb(
      book_.app, "bulk", {"Deliveries to many over the REST API", "REST API で一斉配信を行う"});
  group->require_subcommand(1);
  CLI::App* send = book_.verb(group, "send",
                              {"Begin a delivery, import its list, commit it (--draft: not yet)",
                               "配信を作成し、リストを取り込んで開始（予約）する。--draft では"
                               "下書きのまま残す"});
  add_message(send, true);
  BulkSend& bulk = values_->bulk;
  option(send, "--csv", bulk.csv,
         {"The list: a column email, and one for each insert code; -: standard input",
          "宛先の CSV。email 列と差し込みコードの列（- は標準入力）"})
      ->required();
  CLI::Option* at = option(send, "--at", bulk.at, {"When: a time, or now", "開始日時、または now"});
  flag(send, "--draft", bulk.draft,
       {"Do not commit it: to be looked at first", "開始せず、確認のため下書きのまま残す"});
  at->excludes(send->get_option("--draft"));
  option(send, "--pace", bulk.pace,
         {"Mails a minute or an hour at most: 600/minute, 10000/hour",
          "1 分または 1 時間あたりの通数の上限（600/minute、10000/hour）"});
  option(
      send, "--quiet-hours", bulk.quiet_hours,
      {"Begin nothing from when until when: 21:00-08:00", "送信を始めない時間帯（21:00-08:00）"});
  option(send, "--zone", bulk.zone,
         {"The time zone of those hours: Asia/Tokyo unless given",
          "その時間帯のタイムゾーン（既定は Asia/Tokyo）"});
  flag(send, "--ignore-errors", bulk.ignore_errors,
       {"A bad row costs itself alone", "誤りのある行だけを除いて取り込む"});
  flag(send, "--keep-duplicates", bulk.keep_duplicates,
       {"An address that is there twice gets two mails", "重複したアドレスにもそれぞれ送る"});
  flag(send, "--detach", bulk.detach,
       {"Do not wait for the end of the delivery", "配信の終わりを待たない"});
  book_.speaks(send, [this](Session& s) { return bulk_send(s, values_->bulk); });
  add_bulk_import(group);
  add_bulk_orders(group);
}

void SenderWords::add_bulk_import(CLI::App* group) {
  CLI::App* command =
      book_.verb(group, "import",
                 {"Put a list into a draft, or see what it would bring",
                  "下書きにリストを取り込む。取り込まずに内容を確認することもできる"});
  BulkImport& import = values_->import;
  option(command, "ID", import.delivery, {"The delivery's number", "配信の番号"})
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  option(
      command, "--list", import.list,
      {"The list: CSV, or NDJSON (.ndjson, .jsonl), compressed as gzip or not; -: standard input",
       "リスト。CSV または NDJSON（.ndjson、.jsonl）。gzip 圧縮も可（- は標準入力）"})
      ->required();
  flag(command, "--ndjson", import.ndjson,
       {"It is NDJSON, whatever it is called", "ファイル名にかかわらず NDJSON として読む"});
  flag(command, "--ignore-errors", import.ignore_errors,
       {"A bad row costs itself alone", "誤りのある行だけを除いて取り込む"});
  flag(command, "--keep-duplicates", import.keep_duplicates,
       {"An address that is there twice gets two mails", "重複したアドレスにもそれぞれ送る"});
  flag(
      command, "--dry-run", import.dry_run,
      {"Import nothing: tell what the list would bring", "取り込まず、結果の見込みだけを表示する"});
  option(
      command, "--idempotency-key", import.idempotency_key,
      {"A name by which a repeat imports nothing twice", "再実行で二重に取り込まないための名前"});
  book_.speaks(command, [this](Session& s) { return bulk_import(s, values_->import); });
}

void SenderWords::add_bulk_orders(CLI::App* group) {
  CLI::App* commit =
      book_.verb(group, "commit", {"Start or reserve a draft", "下書きの配信を開始（予約）する"});
  id(commit);
  option(commit, "--at", values_->at, {"When: a time, or now", "開始日時、または now"})->required();
  book_.speaks(commit, [this](Session& s) { return bulk_commit(s, values_->id, values_->at); });
  CLI::App* list = book_.verb(group, "list", {"List them", "一覧を表示する"});
  add_search(list, false);
  book_.speaks(list, [this](Session& s) {
    values_->search.types = {"BULK"};
    return list_deliveries(s, values_->search);
  });
  CLI::App* show = book_.verb(group, "show", {"How far one is", "進み具合を表示する"});
  id(show);
  flag(show, "--follow", values_->follow, {"Until it has ended", "終わるまで表示を続ける"});
  book_.speaks(show, [this](Session& s) { return bulk_show(s, values_->id, values_->follow); });
  const auto order = [&](const std::string& name, const Sentence& help) {
    CLI::App* command = book_.verb(group, name, help);
    id(command);
    book_.speaks(command, [this, name](Session& s) { return bulk_order(s, values_->id, name); });
  };
  order("pause", {"Hold one that goes out", "送信を一時停止する"});
  order("resume", {"Let it go on", "一時停止を解除する"});
  order("stop", {"End one that goes out, for good", "送信を打ち切る（取り消せません）"});
  CLI::App* pace =
      book_.verb(group, "pace", {"Limit how fast one goes", "送信速度の上限を指定する"});
  id(pace);
  option(pace, "PACE", values_->pace,
         {"Mails a minute or an hour: 600/minute, 10000/hour; none: as fast as it can",
          "1 分または 1 時間あたりの通数（600/minute、10000/hour）。none で解除"})
      ->required();
  book_.speaks(pace, [this](Session& s) { return bulk_pace(s, values_->id, values_->pace); });
  CLI::App* quiet = book_.verb(
      group, "quiet-hours",
      {"Begin nothing of one at these hours of the day", "送信を始めない時間帯を指定する"});
  id(quiet);
  option(quiet, "HOURS", values_->hours,
         {"From when until when: 21:00-08:00; none: no such hours",
          "開始と終了の時刻（21:00-08:00）。none で解除"})
      ->required();
  option(quiet, "--zone", values_->zone,
         {"The time zone: Asia/Tokyo unless given", "タイムゾーン（既定は Asia/Tokyo）"});
  book_.speaks(quiet, [this](Session& s) {
    return bulk_quiet_hours(s, values_->id, values_->hours, values_->zone);
  });
  order("cancel", {"Take a reservation back", "予約を取り消す"});
  CLI::App* remove = book_.verb(group, "delete", {"Remove one", "配信を削除する"});
  id(remove);
  book_.speaks(remove, [this](Session& s) { return bulk_delete(s, values_->id); });
}

void SenderWords::add_search(CLI::App* command, bool of_any_type) {
  DeliverySearch& search = values_->search;
  if (of_any_type) {
    several(command, "--type", search.types,
            {"TRANSACTION, BULK or SMTP", "TRANSACTION、BULK、SMTP"})
        ->delimiter(',')
        ->check(one_of(kDeliveryTypes));
  }
  several(command, "--status", search.statuses,
          {"EDIT, IMPORTING, RESERVE, WAIT, SENDING, SENT or FAILED",
           "EDIT、IMPORTING、RESERVE、WAIT、SENDING、SENT、FAILED"})
      ->delimiter(',')
      ->check(one_of(kDeliveryStatuses));
  option(command, "--subject", search.subject, {"A part of the subject", "件名の一部"});
  option(command, "--from", search.from, {"A part of the sender", "差出人の一部"});
  option(command, "--tag", search.tag, {"A tag that they have", "配信のタグ"});
  option(command, "--start", search.start, {"Started at this time or later", "この日時以降に開始"});
  option(command, "--end", search.end, {"Started at this time or earlier", "この日時以前に開始"});
  option(command, "--size", search.size, {"How many a page", "1 ページの件数"})
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000}));
  option(command, "--page", search.page, {"Which page", "ページ番号"})
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1'000}));
  option(command, "--sort", search.sort,
         {"delivery_time:desc or the like", "delivery_time:desc などの並び順"});
}

void SenderWords::add_deliveries() {
  CLI::App* list =
      book_.verb(book_.app, "deliveries",
                 {"Look for deliveries over the REST API", "REST API で配信を検索する"});
  add_search(list, true);
  CLI::App* preflight = book_.verb(list, "preflight",
                                   {"Whether a delivery would arrive, before it is committed",
                                    "配信が届くかを、開始する前に確認する"});
  id(preflight);
  CLI::App* watch = book_.verb(list, "watch",
                               {"Watch a delivery until it is over: counts, speed, time to go",
                                "配信が終わるまで、件数、速度、残り時間を表示し続ける"});
  id(watch);
  // All of these commands are there then, and whichever is asked last does it.
  const auto any = [this, preflight, watch](Session& s) {
    if (watch->parsed()) return watch_delivery(s, values_->id);
    return preflight->parsed() ? preflight_delivery(s, values_->id)
                               : list_deliveries(s, values_->search);
  };
  book_.speaks(list, any);
  book_.speaks(preflight, any);
  book_.speaks(watch, any);
  CLI::App* show = book_.verb(book_.app, "delivery",
                              {"A delivery, with its counts", "配信の内容と件数を表示する"});
  id(show);
  book_.speaks(show, [this](Session& s) { return show_delivery(s, values_->id); });
}

void SenderWords::add_preview() {
  Preview& preview = values_->preview;
  const auto add = [&](const std::string& name, const Sentence& help,
                       int (*body)(Session&, const Preview&)) {
    CLI::App* command = book_.verb(book_.app, name, help);
    option(command, "DELIVERY|FILE", preview.target,
           {"A delivery's number, or a file with a content as JSON; -: standard input",
            "配信の番号、または内容の JSON ファイル（- は標準入力）"})
        ->required();
    option(command, "--email", preview.email,
           {"Whom the mail is for; else the first recipient", "宛先（省略時は最初の宛先）"});
    several(command, "--insert-code", preview.insert_codes,
            {"A value instead of the recipient's, \"__name__=value\"",
             "差し込みコードの値（\"__name__=値\"）"});
    several(command, "--data", preview.data,
            {"A value for {{name}} of a template, \"name=value\"; likewise",
             "テンプレートの {{name}} の値（\"name=値\"）"});
    book_.speaks(command, [this, body](Session& s) { return body(s, values_->preview); });
    return command;
  };
  CLI::App* shown = add("preview",
                        {"A mail as a recipient would get it, before it is sent",
                         "宛先に届くメールを、送信する前に表示する"},
                        &show_preview);
  option(shown, "--eml", preview.eml,
         {"A file to write the message into; -: standard output",
          "メッセージを書き出すファイル（- は標準出力）"});
  add("lint",
      {"What is wrong with mails, before they are sent", "送信する前に、メールの問題点を調べる"},
      &lint_mail);
}

void SenderWords::add_logs() {
  CLI::App* command = book_.verb(
      book_.app, "logs", {"What became of mails, newest first", "送信ログを新しい順に表示する"});
  LogSearch& logs = values_->logs;
  option(command, "--email", logs.email, {"Of one address", "宛先のアドレス"});
  option(command, "--reference", logs.reference,
         {"Of one reference, as it was given (send --reference)",
          "送信時に付けた参照番号（send --reference）"});
  option(command, "--delivery", logs.delivery, {"Of one delivery", "配信の番号"});
  several(command, "--type", logs.types, {"TRANSACTION, BULK or SMTP", "TRANSACTION、BULK、SMTP"})
      ->delimiter(',')
      ->check(one_of(kDeliveryTypes));
  several(command, "--status", logs.statuses,
          {"SENT, RETRY, HARDERROR, SOFTERROR or DROP", "SENT、RETRY、HARDERROR、SOFTERROR、DROP"})
      ->delimiter(',')
      ->check(one_of(kLogStatuses));
  several(command, "--code", logs.codes, {"The receiver's code", "受信サーバーの応答コード"})
      ->delimiter(',');
  option(command, "--start", logs.start, {"Started at this time or later", "この日時以降に開始"});
  option(command, "--end", logs.end, {"Started at this time or earlier", "この日時以前に開始"});
  option(command, "--anchor", logs.anchor, {"Only rows below this id", "この ID より前の行"});
  option(command, "--limit", logs.limit, {"How many at most", "最大の件数"})
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{100'000}));
  book_.speaks(command, [this](Session& s) { return show_logs(s, values_->logs); });
  CLI::App* row =
      book_.verb(book_.app, "log",
                 {"A row of the log, with every attempt", "ログの 1 行を全試行とともに表示する"});
  option(row, "ID", values_->id, {"The row's maillog_id", "maillog_id"})
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  book_.speaks(row, [this](Session& s) { return show_log(s, values_->id); });
}

void SenderWords::add_usage() {
  constexpr std::int64_t kDaysMost = 62;  // of the API
  constexpr std::int64_t kMonthsMost = 120;
  CLI::App* command = book_.verb(book_.app, "usage",
                                 {"Mails by day and by month, and what is left of the limits",
                                  "日ごと、月ごとの通数と、上限の残りを表示する"});
  option(command, "--days", values_->usage.days, {"How many days", "日数"})
      ->check(CLI::Range(std::int64_t{1}, kDaysMost));
  option(command, "--months", values_->usage.months, {"How many months", "月数"})
      ->check(CLI::Range(std::int64_t{1}, kMonthsMost));
  book_.speaks(command, [this](Session& s) { return show_usage(s, values_->usage); });
}

void SenderWords::add_tags() {
  constexpr std::int64_t kTagDaysMost = 14;  // of the API
  CLI::App* command = book_.verb(book_.app, "tags",
                                 {"What became of mails, by tag", "タグごとの配信結果を表示する"});
  option(command, "--days", values_->tag_days,
         {"Of so many days, today among them", "今日までの日数"})
      ->check(CLI::Range(std::int64_t{1}, kTagDaysMost));
  book_.speaks(command, [this](Session& s) { return show_tags(s, values_->tag_days); });
}

void SenderWords::add_events() {
  CLI::App* command = book_.verb(
      book_.app, "events", {"What happened to mail, in order", "メールのイベントを順に表示する"});
  EventSearch& events = values_->events;
  flag(command, "--follow", events.follow, {"Go on as they happen", "起こるたびに表示を続ける"});
  several(command, "--kind", events.kinds, {"Only these kinds", "イベントの種類"})->delimiter(',');
  option(command, "--delivery", events.delivery, {"Of one delivery", "配信の番号"});
  option(command, "--email", events.email, {"Of one address", "宛先のアドレス"});
  option(command, "--tag", events.tag, {"Of deliveries with this tag", "配信のタグ"});
  option(command, "--cursor", events.cursor,
         {"Go on after this event; latest: with what comes from now on",
          "このイベントの続きから。latest はこれから起こるもののみ"});
  option(command, "--cursor-file", events.cursor_file,
         {"Keeps how far it has come, and goes on from there unless --cursor is given",
          "位置を保存し、--cursor がなければ続きから表示するファイル"});
  option(command, "--limit", events.limit, {"How many at most", "最大の件数"})
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  book_.speaks(command, [this](Session& s) { return show_events(s, values_->events); });
}

void SenderWords::add_webhook() {
  CLI::App* group =
      book_.verb(book_.app, "webhook",
                 {"The endpoints that are told of events", "イベントの通知先を管理する"});
  group->require_subcommand(1);
  book_.speaks(book_.verb(group, "list", {"List them", "一覧を表示する"}), webhook_list);
  CLI::App* add = book_.verb(group, "add", {"Register one", "通知先を登録する"});
  WebhookAdd& webhook = values_->webhook;
  option(add, "URL", webhook.url, {"Where the calls go", "通知先の URL"})->required();
  option(add, "--form", webhook.form,
         {"standard, contract, sendgrid, postmark or resend",
          "standard、contract、sendgrid、postmark、resend のいずれか"});
  option(add, "--signature", webhook.signature, {"hmac or ed25519", "hmac または ed25519"});
  several(add, "--kind", webhook.kinds, {"Only these types of events", "イベントの種類"})
      ->delimiter(',');
  several(add, "--tag", webhook.tags, {"Of deliveries with this tag", "配信のタグ"});
  several(add, "--domain", webhook.domains, {"Of senders in this domain", "差出人のドメイン"});
  several(add, "--purpose", webhook.purposes, {"Of mail for this purpose", "メールの目的"});
  flag(add, "--insert-codes", webhook.insert_codes,
       {"Tells insert codes, too", "差し込みコードも通知する"});
  flag(add, "--single", webhook.single, {"A call for each event", "イベントごとに呼び出す"});
  book_.speaks(add, [this](Session& s) { return webhook_add(s, values_->webhook); });
  add_one_webhook(group, "test", {"Have a test event sent to it", "テストイベントを送る"},
                  webhook_test);
  add_one_webhook(group, "calls", {"Its latest calls", "最近の呼び出しを表示する"}, webhook_calls);
  add_one_webhook(group, "enable",
                  {"Tell it again, from where it stopped", "停止した位置から通知を再開する"},
                  webhook_enable);
  add_one_webhook(group, "disable", {"Tell it nothing until enable", "enable まで通知を止める"},
                  webhook_disable);
  add_one_webhook(group, "set-aside",
                  {"The events that it would not take", "受け取られなかったイベントを表示する"},
                  webhook_set_aside);
  add_one_webhook(group, "remove", {"Tell it no longer", "通知をやめる"}, webhook_remove);
  CLI::App* rotate = webhook_verb(group, "rotate",
                                  {"Replace its signing secret", "署名のシークレットを新しくする"});
  option(rotate, "--overlap-hours", values_->overlap_hours,
         {"How long the old one signs beside it (24; 0: no longer)",
          "前のシークレットでも署名する時間（24、0 は署名しない）"});
  book_.speaks(rotate, [this](Session& s) {
    return webhook_rotate(s, values_->webhook_id, values_->overlap_hours);
  });
  add_webhook_replay(group);
}

CLI::App* SenderWords::webhook_verb(CLI::App* group, const std::string& name,
                                    const Sentence& help) {
  CLI::App* command = book_.verb(group, name, help);
  option(command, "WEBHOOK", values_->webhook_id, {"Its id, wh_...", "通知先の ID（wh_...）"})
      ->required();
  return command;
}

void SenderWords::add_one_webhook(CLI::App* group, const std::string& name, const Sentence& help,
                                  int (*body)(Session&, const std::string&)) {
  CLI::App* command = webhook_verb(group, name, help);
  book_.speaks(command, [this, body](Session& s) { return body(s, values_->webhook_id); });
}

void SenderWords::add_webhook_replay(CLI::App* group) {
  CLI::App* command = webhook_verb(
      group, "replay",
      {"Have events told to it again, under their ids", "イベントを同じ ID で再送させる"});
  WebhookReplay& order = values_->replay;
  option(command, "--from", order.from, {"All from this date or time on", "この日時以降のすべて"});
  option(command, "--delivery", order.delivery, {"Of one delivery", "配信の番号"});
  several(command, "--event", order.events, {"This one (event_id)", "このイベント（event_id）"});
  flag(command, "--set-aside", order.set_aside,
       {"Those that it would not take", "受け取られなかったもの"});
  book_.speaks(command, [this](Session& s) {
    return webhook_replay(s, values_->webhook_id, values_->replay);
  });
}

CLI::App* SenderWords::template_verb(CLI::App* group, const std::string& name,
                                     const Sentence& help) {
  CLI::App* command = book_.verb(group, name, help);
  option(command, "TEMPLATE", values_->which_template,
         {"Its id or its name", "テンプレートの番号または名前"})
      ->required();
  return command;
}

void SenderWords::add_template_texts(CLI::App* command) {
  TemplateEdit& edit = values_->edit;
  option(command, "--name", edit.name, {"What it is called", "名前"});
  option(command, "--from", edit.fields.from,
         {"Whom mail is from that does not say it", "メールで指定しないときの差出人"});
  option(command, "--subject", edit.fields.subject, {"The subject", "件名"});
  CLI::Option* text = option(command, "--text", edit.fields.text, {"The text", "本文"});
  option(command, "--text-file", edit.fields.text_file,
         {"A file with the text; -: standard input", "本文のファイル（- は標準入力）"})
      ->excludes(text);
  // An empty one is none to CLI11, but here it takes a text away.
  command->parse_complete_callback([&edit, text] {
    if (text->count() > 0 && !edit.fields.text) edit.fields.text.emplace();
  });
  option(command, "--html-file", edit.fields.html_file,
         {"A file with the HTML", "HTML 本文のファイル"});
  option(command, "--escape", edit.fields.escape,
         {"html or none: how values stand in the HTML",
          "html または none（HTML に差し込む値のエスケープ）"});
}

void SenderWords::add_templates() {
  CLI::App* group = book_.verb(
      book_.app, "templates",
      {"Stored contents that mail begins with", "保存した件名・本文（テンプレート）を管理する"});
  group->require_subcommand(1);
  book_.speaks(book_.verb(group, "list", {"List them", "一覧を表示する"}), list_templates);
  CLI::App* show = template_verb(group, "show", {"What one says", "テンプレートの内容を表示する"});
  option(show, "--version", values_->template_version,
         {"Which of its versions; else the latest", "バージョン。指定がなければ最新"});
  book_.speaks(show, [this](Session& s) {
    return show_template(s, values_->which_template, values_->template_version);
  });
  CLI::App* add = book_.verb(group, "add", {"Keep a new one", "テンプレートを作成する"});
  add_template_texts(add);
  book_.speaks(add, [this](Session& s) { return add_template(s, values_->edit); });
  CLI::App* change = template_verb(
      group, "change", {"Make a new version of one", "テンプレートの新しいバージョンを作成する"});
  add_template_texts(change);
  book_.speaks(change, [this](Session& s) {
    return change_template(s, values_->which_template, values_->edit);
  });
  CLI::App* remove = template_verb(
      group, "remove", {"Remove one with all its versions", "テンプレートを全バージョン削除する"});
  book_.speaks(remove, [this](Session& s) { return remove_template(s, values_->which_template); });
}

void SenderWords::add_dev() {
  constexpr std::int64_t kCaughtMost = 100;  // each is asked for
  CLI::App* group = book_.verb(
      book_.app, "dev",
      {"What `todoku serve --dev` has caught", "`todoku serve --dev` が捕まえたメールを見る"});
  group->require_subcommand(1);
  CLI::App* list = book_.verb(group, "list", {"The latest mails", "最近のメールの一覧"});
  option(list, "--limit", values_->caught_most, {"How many at most", "最大の件数"})
      ->check(CLI::Range(std::int64_t{1}, kCaughtMost));
  book_.speaks(list, [this](Session& s) { return list_caught(s, values_->caught_most); });
  CLI::App* show = book_.verb(
      group, "show",
      {"A mail as its receiver would read it", "受信者に届くはずだったメールを表示する"});
  option(show, "ID", values_->id, {"The mail's number in the list", "一覧に表示される番号"})
      ->required()
      ->check(CLI::Range(std::int64_t{1}, std::numeric_limits<std::int64_t>::max()));
  option(show, "--eml", values_->caught_eml,
         {"A file to write the message into; -: standard output",
          "メッセージを書き出すファイル（- は標準出力）"});
  book_.speaks(show,
               [this](Session& s) { return show_caught(s, values_->id, values_->caught_eml); });
}

void SenderWords::add_profile() {
  CLI::App* group =
      book_.verb(book_.app, "profile",
                 {"Which API you speak to, and as whom", "接続先とアカウントを保存する"});
  group->require_subcommand(1);
  CLI::App* set = book_.verb(group, "set",
                             {"Keep --url, --account, --ca and the key of --key-file",
                              "--url、--account、--ca と --key-file のキーを保存する"});
  option(set, "NAME", values_->profile,
         {"Else that of --profile, else default", "指定がなければ --profile の名前、次に default"});
  book_.speaks(set, [this](Session& s) { return profile_set(s, values_->profile); });
  book_.speaks(book_.verb(group, "list", {"List them", "一覧を表示する"}), profile_list);
}

}  // namespace todoku::cli
