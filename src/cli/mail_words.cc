// SPDX-License-Identifier: Apache-2.0
#include "cli/mail_words.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

MailWords::MailWords(WordBook book) : book_(std::move(book)) {
  add_explain();
  add_stuck();
  add_suppression();
  add_personal_data();
  add_audit();
  add_tls_report();
  add_probe();
  add_sources();
  add_lanes();
  add_rates();
}

void MailWords::add_explain() {
  CLI::App* command =
      book_.verb(book_.app, "explain",
                 {"Tell what became of mail to an address, or of many mails by receiver and cause",
                  "アドレス宛てのメール、または多数のメールがどうなったかを説明する"});
  CLI::Option* const address =
      book_.option(command, "ADDRESS", explain_.address, calls::kExplain, "address");
  const std::vector<CLI::Option*> of_one = {
      address,
      book_.option(command, "--reference", explain_.reference, calls::kExplain, "reference"),
      book_.option(command, "--message-id", explain_.message_id, calls::kExplain, "message_id"),
      book_.option(command, "--mail", explain_.mail, calls::kExplain, "email_id")};
  for (CLI::Option* const each : of_one) {
    for (CLI::Option* const other : of_one) {
      if (each != other) each->excludes(other);
    }
  }
  CLI::Option* const for_recipient =
      command->add_flag("--for-recipient", explain_.for_recipient,
                        book_.say({"What can be sent on to the recipient, of the newest mail",
                                   "受信者にそのまま送れる文面（最新の 1 通）"}));
  std::vector<CLI::Option*> of_many = {
      book_.option(command, "--delivery", explain_.delivery, calls::kExplain, "delivery_id"),
      book_.option(command, "--domain", explain_.domain, calls::kExplain, "domain"),
      book_.option(command, "--site", explain_.site, calls::kExplain, "site"),
      book_.option(command, "--from", explain_.since, calls::kExplain, "since"),
      book_.option(command, "--to", explain_.until, calls::kExplain, "until")};
  for (CLI::Option* const each : of_many) {
    each->excludes(for_recipient);
    for (CLI::Option* const one : of_one) each->excludes(one);
  }
  command->parse_complete_callback([of_one, of_many] {
    const auto is_given = [](const CLI::Option* option) { return option->count() > 0; };
    if (std::ranges::none_of(of_one, is_given) && std::ranges::none_of(of_many, is_given)) {
      throw CLI::RequiredError("ADDRESS");
    }
  });
  book_.option(command, "--account", explain_.account, calls::kExplain, "account");
  CLI::Option* const limit =
      book_.option(command, "--limit", explain_.limit, calls::kExplain, "limit");
  static constexpr std::int64_t kMost = calls::kExplain.find("limit")->max;
  command
      ->add_flag_callback(
          "--all", [this] { explain_.limit = kMost; },
          book_.say({"The same as the highest --limit", "--limit の最大値と同じ"}))
      ->excludes(limit);
  command->add_flag(
      "--utc", explain_.utc,
      book_.say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
  book_.speaks(command, [this, limit](Session& s) {
    if (explain_.for_recipient && limit->count() == 0) explain_.limit = 1;
    return explain_mail(s, explain_);
  });
}

void MailWords::add_stuck() {
  CLI::App* group = book_.verb(book_.app, "stuck",
                               {"The mails that are set aside: processes died with them",
                                "隔離中のメール（処理中にプロセスが異常終了したもの）を表示する"});
  group->require_subcommand(0, 1);
  book_.option(group, "--limit", stuck_list_.limit, calls::kListStuck, "limit");
  group->add_flag(
      "--utc", stuck_list_.utc,
      book_.say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
  book_.speaks(group, [this](Session& s) { return stuck_list(s, stuck_list_); });
  CLI::App* release =
      book_.verb(group, "release",
                 {"Have one tried again, or all", "1 通、またはすべての隔離を解除して再び試す"});
  CLI::Option* account =
      book_.option(release, "ACCOUNT", stuck_.account, calls::kReleaseStuck, "account")
          ->required(false);
  CLI::Option* email =
      book_.option(release, "EMAIL", stuck_.email_id, calls::kReleaseStuck, "email_id")
          ->required(false);
  CLI::Option* all = release->add_flag(
      "--all", stuck_.all, book_.say({"All that are set aside now", "いま隔離中のものすべて"}));
  account->needs(email);
  all->excludes(account);
  release->require_option(1, 2);
  book_.speaks(release, [this](Session& s) { return stuck_release(s, stuck_); });
}

void MailWords::add_suppression() {
  CLI::App* group = book_.verb(book_.app, "suppression",
                               {"Whom mail is not sent to", "送信を止めるアドレスのリスト"});
  group->require_subcommand(1);
  CLI::App* list = book_.verb(group, "list", {"The list", "リストを表示する"});
  book_.option(list, "--account", stop_.account, calls::kListSuppressions, "account");
  book_.speaks(list, [this](Session& s) { return suppression_list(s, stop_.account); });
  CLI::App* look = book_.verb(group, "look",
                              {"Whether mail to an address is stopped, and why",
                               "アドレスへの送信が止められているか、その理由を表示する"});
  book_.option(look, "--account", stop_.account, calls::kLookSuppression, "account");
  book_.option(look, "ADDRESS", stop_.address, calls::kLookSuppression, "address");
  book_.speaks(look, [this](Session& s) {
    return suppression_look(s, {.account = stop_.account, .address = stop_.address});
  });
  CLI::App* add = book_.verb(group, "add", {"Put one on the list", "リストに登録する"});
  book_.option(add, "--account", stop_.account, calls::kAddSuppression, "account");
  book_.option(add, "ADDRESS", stop_.address, calls::kAddSuppression, "address");
  book_.option(add, "--reason", stop_.reason, calls::kAddSuppression, "reason");
  book_.option(add, "--scope", stop_.scope, calls::kAddSuppression, "scope");
  book_.option(add, "--list", stop_.list_id, calls::kAddSuppression, "list_id");
  book_.option(add, "--note", stop_.note, calls::kAddSuppression, "note");
  book_.option(add, "--days", stop_.days, calls::kAddSuppression, "days");
  book_.speaks(add, [this](Session& s) { return suppression_add(s, stop_); });
  CLI::App* remove = book_.verb(group, "remove", {"Take one off the list", "リストから外す"});
  book_.option(remove, "--account", stop_.account, calls::kRemoveSuppression, "account");
  book_.option(remove, "ADDRESS", stop_.address, calls::kRemoveSuppression, "address");
  book_.option(remove, "--reason", stop_.reason, calls::kRemoveSuppression, "reason");
  book_.option(remove, "--list", stop_.list_id, calls::kRemoveSuppression, "list_id");
  book_.option(remove, "--why", stop_why_, calls::kRemoveSuppression, "why");
  book_.speaks(remove, [this](Session& s) {
    return suppression_remove(s, {.account = stop_.account,
                                  .address = stop_.address,
                                  .reason = stop_.reason,
                                  .list_id = stop_.list_id,
                                  .why = stop_why_});
  });
  CLI::App* import =
      book_.verb(group, "import", {"Add the rows of a CSV file", "CSV ファイルの行を登録する"});
  book_.option(import, "--account", stop_.account, calls::kImportSuppressions, "account");
  import->add_option("FILE", stop_file_, book_.say({"A CSV file", "CSV ファイル"}))->required();
  book_.speaks(import, [this](Session& s) {
    return suppression_import(s, {.account = stop_.account, .file = stop_file_});
  });
  CLI::App* out = book_.verb(group, "export",
                             {"The list as CSV, on standard output", "リストを CSV で出力する"});
  book_.option(out, "--account", stop_.account, calls::kExportSuppressions, "account");
  book_.speaks(out, [this](Session& s) { return suppression_export(s, stop_.account); });
}

void MailWords::add_personal_data() {
  CLI::App* group = book_.verb(book_.app, "personal-data",
                               {"What is kept of an address", "アドレスについて保存している情報"});
  group->require_subcommand(1);
  CLI::App* out = book_.verb(
      group, "export",
      {"All that is kept of an address, as JSON", "保存している情報をすべて JSON で出力する"});
  book_.option(out, "ADDRESS", person_.address, calls::kExportPersonal, "email");
  book_.option(out, "--account", person_.account, calls::kExportPersonal, "account");
  book_.speaks(out, [this](Session& s) { return personal_data_export(s, person_); });
  CLI::App* erase = book_.verb(group, "delete",
                               {"Erase what is kept of an address; opt-outs go on working",
                                "保存している情報を消去する（配信停止の効果は残る）"});
  book_.option(erase, "ADDRESS", person_.address, calls::kErasePersonal, "email");
  book_.option(erase, "--account", person_.account, calls::kErasePersonal, "account");
  erase->add_flag("--stop", person_stops_,
                  std::string(calls::kErasePersonal.find("stop")->help.in(book_.language)));
  erase
      ->add_flag("--yes", sure_,
                 book_.say({"You mean it: what is erased cannot be had back",
                            "消去した情報は元に戻せないことを了承する"}))
      ->required();
  book_.speaks(erase,
               [this](Session& s) { return personal_data_delete(s, person_, person_stops_); });
}

void MailWords::add_audit() {
  CLI::App* group = book_.verb(book_.app, "audit",
                               {"Who looked at what of somebody's", "個人情報を閲覧した記録"});
  group->require_subcommand(1);
  CLI::App* list =
      book_.verb(group, "list", {"The records, oldest first", "記録を古い順に表示する"});
  book_.option(list, "--since", audit_.since, calls::kListAudit, "since");
  book_.option(list, "--address", audit_.address, calls::kListAudit, "address");
  list->add_flag(
      "--utc", audit_.utc,
      book_.say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
  book_.speaks(list, [this](Session& s) { return audit_list(s, audit_); });
}

void MailWords::add_tls_report() {
  CLI::App* group =
      book_.verb(book_.app, "tls-report",
                 {"How the encryption of mail that is sent fared", "送信したメールの暗号化の結果"});
  group->require_subcommand(1);
  CLI::App* show = book_.verb(group, "show",
                              {"By day, domain and result, in the words of RFC 8460",
                               "日、宛先ドメイン、結果（RFC 8460 の用語）ごとに件数を表示する"});
  book_.option(show, "--domain", tls_report_.domain, calls::kTlsReport, "domain");
  book_.option(show, "--days", tls_report_.days, calls::kTlsReport, "days");
  book_.speaks(show, [this](Session& s) { return tls_report_show(s, tls_report_); });
}

void MailWords::add_probe() {
  CLI::App* group =
      book_.verb(book_.app, "probe",
                 {"Whether mail reaches the inbox: test mails to mailboxes of your own",
                  "受信トレイに届くか。自分のメールボックスへのテストメール"});
  group->require_subcommand(1);
  const auto utc = [this](CLI::App* command) {
    command->add_flag(
        "--utc", probe_.utc,
        book_.say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
  };
  CLI::App* run = book_.verb(group, "run",
                             {"Sends a test mail to each mailbox and says where it was found",
                              "各メールボックスにテストメールを送り、見つかった場所を表示する"});
  book_.option(run, "--mailbox", probe_.mailbox, calls::kAskProbes, "mailbox");
  book_.option(run, "--from", probe_.from, calls::kAskProbes, "from");
  run->add_flag("--no-wait", probe_.at_once,
                book_.say({"Does not wait until they are found", "見つかるのを待たない"}));
  utc(run);
  book_.speaks(run, [this](Session& s) { return probe_run(s, probe_); });
  CLI::App* history =
      book_.verb(group, "history",
                 {"Where test mails were found, the newest first", "結果を新しい順に表示する"});
  book_.option(history, "--mailbox", probe_.mailbox, calls::kListProbes, "mailbox");
  book_.option(history, "--limit", probe_.limit, calls::kListProbes, "limit");
  utc(history);
  book_.speaks(history, [this](Session& s) { return probe_history(s, probe_); });
  CLI::App* list =
      book_.verb(group, "list", {"The mailboxes that are configured", "設定されたメールボックス"});
  book_.speaks(list, [](Session& s) { return probe_list(s); });
}

void MailWords::add_sources() {
  CLI::App* command =
      book_.verb(book_.app, "sources",
                 {"The sources, and where those that are warming up stand in their plans",
                  "送信元と、ウォームアップの計画の進み具合"});
  book_.speaks(command, [](Session& s) { return list_sources(s); });
}

void MailWords::add_lanes() {
  CLI::App* command =
      book_.verb(book_.app, "lanes",
                 {"How fast mail goes to receivers, and why", "受信側ごとの送信の速さとその理由"});
  book_.option(command, "--site", lanes_.site, calls::kLanes, "site");
  book_.option(command, "--source", lanes_.source, calls::kLanes, "source");
  command->add_flag("--all", lanes_.all, book_.say(calls::kLanes.find("all")->help));
  book_.option(command, "--limit", lanes_.limit, calls::kLanes, "limit");
  command->add_flag(
      "--utc", lanes_.utc,
      book_.say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
  book_.speaks(command, [this](Session& s) { return list_lanes(s, lanes_); });
}

void MailWords::add_rates() {
  CLI::App* group =
      book_.verb(book_.app, "rates",
                 {"Bounces and complaints, and what is held back for them (docs/protection.md)",
                  "不達と苦情の割合、それにより止めている配信（docs/protection.ja.md）"});
  group->require_subcommand(1);
  CLI::App* show =
      book_.verb(group, "show",
                 {"Of an account, or of one delivery: by sender domain and receiver",
                  "アカウントまたは配信の割合を、送信元ドメイン、受信側ごとに表示する"});
  book_.option(show, "ACCOUNT", rates_.account, calls::kRates, "account");
  book_.option(show, "--delivery", rates_.delivery, calls::kRates, "delivery_id");
  book_.option(show, "--hours", rates_.hours, calls::kRates, "hours");
  book_.speaks(show, [this](Session& s) { return rates_show(s, rates_); });
  CLI::App* limit = book_.verb(
      group, "limit", {"Give an account limits of its own", "アカウント個別の上限を決める"});
  RateLimitsWish& wish = rate_limits_;
  book_.option(limit, "ACCOUNT", wish.account, calls::kLimitRates, "account");
  book_.option(limit, "--complaint-warn", wish.complaint_warn, calls::kLimitRates,
               "complaint_warn");
  book_.option(limit, "--complaint-pause", wish.complaint_pause, calls::kLimitRates,
               "complaint_pause");
  book_.option(limit, "--complaint-minimum", wish.complaint_minimum, calls::kLimitRates,
               "complaint_minimum");
  book_.option(limit, "--bounce-warn", wish.bounce_warn, calls::kLimitRates, "bounce_warn");
  book_.option(limit, "--bounce-pause", wish.bounce_pause, calls::kLimitRates, "bounce_pause");
  book_.option(limit, "--bounce-minimum", wish.bounce_minimum, calls::kLimitRates,
               "bounce_minimum");
  book_.option(limit, "--canary", wish.canary_recipients, calls::kLimitRates, "canary_recipients");
  book_.option(limit, "--canary-minutes", wish.canary_minutes, calls::kLimitRates,
               "canary_minutes");
  book_.speaks(limit, [this](Session& s) { return rates_limit(s, rate_limits_); });
}

}  // namespace todoku::cli
