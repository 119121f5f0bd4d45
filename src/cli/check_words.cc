// SPDX-License-Identifier: Apache-2.0
#include "cli/check_words.h"

#include <utility>

#include "operate/calls/calls.h"

namespace todoku::cli {

CheckWords::CheckWords(WordBook book) : book_(std::move(book)) {
  add_bounce_classify();
  add_rules();
  add_reports();
  add_dkim_verify();
  add_spf_check();
  add_dmarc_check();
  add_mta_sts_check();
  add_doctor();
  add_alarms();
}

void CheckWords::add_sender_options(CLI::App* check, std::string& ip, std::string& mail_from,
                                    std::string& helo) {
  check
      ->add_option(
          "--ip", ip,
          book_.say({"The address that the mail comes from", "メールの送信元の IP アドレス"}))
      ->type_name("ADDRESS");
  check
      ->add_option("--mail-from", mail_from,
                   book_.say({"The sender in MAIL FROM; empty: HELO is checked",
                              "MAIL FROM の送信者。空なら HELO を調べる"}))
      ->type_name("ADDRESS");
  check
      ->add_option("--helo", helo,
                   book_.say({"The name in HELO or EHLO", "HELO または EHLO の名前"}))
      ->type_name("NAME");
}

void CheckWords::add_bounce_classify() {
  CLI::App* group = book_.verb(
      book_.app, "bounce", {"What mail that comes back means", "戻ってきたメールの意味を調べる"});
  group->require_subcommand(1);
  CLI::App* classify =
      book_.verb(group, "classify",
                 {"Say of whom a returned mail, a complaint or a reply speaks, and what it means",
                  "エラーメール、苦情の報告、SMTP の応答を読み、対象の宛先と意味を示す"});
  classify->add_option(
      "FILE", bounce_.files,
      book_.say({"Returned mails; - for standard input", "エラーメール。- は標準入力"}));
  classify
      ->add_option("--reply", bounce_.reply,
                   book_.say({"A reply instead: \"550 5.1.1 User unknown\"",
                              "代わりに SMTP の応答: \"550 5.1.1 User unknown\""}))
      ->type_name("TEXT");
  classify->add_flag(
      "--batch", bounce_.batch,
      book_.say({"A case a line of JSON on standard input, an answer a line",
                 "標準入力から 1 行に 1 件の JSON を読み、1 行に 1 件の答えを出力する"}));
  book_.speaks(classify, [this](Session& s) { return bounce_classify(s, bounce_); });
}

void CheckWords::add_rules() {
  CLI::App* group =
      book_.verb(book_.app, "rules",
                 {"What is known of receivers: their limits, and what their answers mean",
                  "受信側について分かっていること（制限と、応答の意味）"});
  group->require_subcommand(1);
  CLI::App* check =
      book_.verb(group, "check",
                 {"Find every mistake in the rules, those of this installation included",
                  "この環境のものも含めて、ルールの誤りをすべて探す"});
  book_.speaks(check, [](Session& s) { return rules_check(s); });
  CLI::App* explain =
      book_.verb(group, "explain",
                 {"Say which rules hold for a domain, or what a reply means and which rule says so",
                  "ドメインに当てはまるルール、または応答の意味とその根拠のルールを示す"});
  explain
      ->add_option("WHAT", rules_.what,
                   book_.say({"example.jp, or \"550 5.1.1 User unknown\"",
                              "example.jp または \"550 5.1.1 User unknown\""}))
      ->required();
  explain
      ->add_option("--stage", rules_.stage,
                   book_.say({"What the reply answers: greeting, hello, mail_from, rcpt_to, data",
                              "応答した段階: greeting、hello、mail_from、rcpt_to、data"}))
      ->type_name("STAGE");
  explain
      ->add_option("--site", rules_.site,
                   book_.say({"The site whose reply it is", "応答したサイト"}))
      ->type_name("NAME");
  explain
      ->add_option("--resolver", rules_.resolver,
                   book_.say({"The name server to ask for a domain's MX hosts",
                              "ドメインの MX ホストを問い合わせるネームサーバー"}))
      ->type_name("HOST:PORT");
  book_.speaks(explain, [this](Session& s) { return rules_explain(s, rules_); });
}

void CheckWords::add_reports() {
  CLI::App* group = book_.verb(book_.app, "reports",
                               {"What receivers report of mail in your domains' names",
                                "受信側から届くドメインのレポート（DMARC、TLS-RPT）を読む"});
  group->require_subcommand(1);
  CLI::App* read = book_.verb(group, "read",
                              {"Say who sends in your name and what of it is authenticated",
                               "ドメインを名乗って送信しているのは誰か、認証されているかを示す"});
  read->add_option("FILE", reports_,
                   book_.say({"Reports as they came: .xml, .xml.gz, .zip, .json, .json.gz; - for "
                              "standard input",
                              "届いたままのレポート（.xml、.xml.gz、.zip、.json、.json.gz）。- は"
                              "標準入力"}))
      ->required();
  book_.speaks(read, [this](Session& s) { return reports_read(s, reports_); });
  namespace calls = operate::calls;
  CLI::App* import = book_.verb(
      group, "import",
      {"Keep what they say, domain by domain", "レポートを取り込み、ドメインごとに保存する"});
  import
      ->add_option("FILE", kept_reports_.files,
                   book_.say({"Reports as they came, messages that carry them (.eml), mailboxes "
                              "(mbox); - for standard input",
                              "届いたままのレポート、レポートを添付したメール（.eml）、"
                              "メールボックス（mbox）。- は標準入力"}))
      ->required();
  book_.option(import, "--account", kept_reports_.account, calls::kImportReports, "account");
  book_.speaks(import, [this](Session& s) { return reports_import(s, kept_reports_); });
  CLI::App* show = book_.verb(
      group, "show",
      {"Say what the reports kept of a domain say together", "保存したレポートをまとめて示す"});
  book_.option(show, "DOMAIN", kept_reports_.domain, calls::kShowReports, "domain");
  book_.option(show, "--account", kept_reports_.account, calls::kShowReports, "account");
  book_.option(show, "--days", kept_reports_.days, calls::kShowReports, "days");
  book_.speaks(show, [this](Session& s) { return reports_show(s, kept_reports_); });
}

void CheckWords::add_dkim_verify() {
  CLI::App* verify = book_.verb(book_.app->get_subcommand("dkim"), "verify",
                                {"Say whether the signatures of mails are good, and why",
                                 "メールの署名が正しいかどうかと、その理由を示す"});
  verify->add_option("FILE", dkim_.files,
                     book_.say({"Mails; - for standard input", "メール。- は標準入力"}));
  add_check_options(book_, verify, dkim_.options);
  book_.speaks(verify, [this](Session& s) { return dkim_verify(s, dkim_); });
}

void CheckWords::add_spf_check() {
  CLI::App* group = book_.verb(
      book_.app, "spf",
      {"Which hosts may send mail of a domain", "ドメインのメールを送信してよいホストを調べる"});
  group->require_subcommand(1);
  CLI::App* check = book_.verb(
      group, "check",
      {"Say what SPF makes of a sender, and why", "送信元に対する SPF の結果と、その理由を示す"});
  add_sender_options(check, spf_.ip, spf_.mail_from, spf_.helo);
  add_check_options(book_, check, spf_.options);
  book_.speaks(check, [this](Session& s) { return spf_check(s, spf_); });
}

void CheckWords::add_dmarc_check() {
  CLI::App* group = book_.verb(
      book_.app, "dmarc",
      {"What the domain in From asks of receivers", "From のドメインが受信側に求める扱いを調べる"});
  group->require_subcommand(1);
  CLI::App* check = book_.verb(
      group, "check",
      {"Say what DMARC makes of a mail, and why", "メールに対する DMARC の結果と、その理由を示す"});
  add_sender_options(check, dmarc_.ip, dmarc_.mail_from, dmarc_.helo);
  check->add_option("FILE", dmarc_.file,
                    book_.say({"The mail; - for standard input", "メール。- は標準入力"}));
  add_check_options(book_, check, dmarc_.options);
  book_.speaks(check, [this](Session& s) { return dmarc_check(s, dmarc_); });
}

void CheckWords::add_mta_sts_check() {
  CLI::App* group =
      book_.verb(book_.app, "mta-sts",
                 {"What domains ask of connections to them", "ドメインが接続に求める条件を調べる"});
  group->require_subcommand(1);
  CLI::App* check = book_.verb(group, "check",
                               {"Say what MTA-STS means for mail to a domain, and why",
                                "宛先ドメインの MTA-STS と、そのドメイン宛のメールの扱いを示す"});
  check
      ->add_option("DOMAIN", mta_sts_.domain,
                   book_.say({"The recipients' domain", "宛先のドメイン"}))
      ->required();
  check
      ->add_option("--resolver", mta_sts_.resolver,
                   book_.say({"The name server to ask, HOST:PORT, instead of the configured",
                              "設定のものの代わりに問い合わせる DNS サーバー（HOST:PORT）"}))
      ->type_name("SERVER");
  book_.speaks(check, [this](Session& s) { return mta_sts_check(s, mta_sts_); });
}

void CheckWords::add_doctor() {
  CLI::App* command =
      book_.verb(book_.app, "doctor",
                 {"Say what is wrong with the server: its addresses as receivers see them, "
                  "blocklists, certificates, clock, DNS, disk",
                  "サーバーの問題を調べる（受信側から見たアドレス、ブロックリスト、証明書、時計、"
                  "DNS、ディスク）"});
  command->add_option("--source", doctor_.source,
                      book_.say({"Only this source, by its name", "この名前の送信元だけを調べる"}));
  command
      ->add_option("--resolver", doctor_.resolver,
                   book_.say({"The name server to ask, HOST:PORT, instead of the configured",
                              "設定のものの代わりに問い合わせる DNS サーバー（HOST:PORT）"}))
      ->type_name("SERVER");
  book_.speaks(command, [this](Session& s) { return show_health(s, doctor_); });
}

void CheckWords::add_alarms() {
  CLI::App* group = book_.verb(book_.app, "alarms",
                               {"Alarms by mail and by a call (the configuration's [alarms])",
                                "メールと呼び出しによる警報（設定の [alarms]）"});
  group->require_subcommand(1);
  CLI::App* command = book_.verb(
      group, "test",
      {"Tell one that means nothing by each way that is configured, and say what happened",
       "設定されたすべての経路で試しの警報を送り、結果を示す"});
  book_.speaks(command, [](Session& s) { return test_alarms(s); });
}

}  // namespace todoku::cli
