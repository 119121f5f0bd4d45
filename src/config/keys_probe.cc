// SPDX-License-Identifier: Apache-2.0
// Keys about probes: test mails to mailboxes of the operator's own, which are then read.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection probe() {
  using S = Config::Probe;
  SectionBuilder<S> s("probe", &Config::probe,
                      {"Did it reach the inbox? Test mails to the mailboxes of "
                       "`[[probe.mailbox]]`, which are then read by IMAP (docs/probe.md).",
                       "受信トレイに届いたか。`[[probe.mailbox]]` のメールボックスにテストメールを"
                       "送り、IMAP で読んで調べる（docs/probe.ja.md）。"});
  s.add("account", &S::account, "",
        {"The account whose mail the probes are: its domains, keys and limits. Needed where there "
         "are mailboxes.",
         "テストメールを送るアカウント（ドメイン、鍵、制限はこのアカウントのもの）。メールボックス"
         "があれば必須。"});
  s.add("from", &S::from, {},
        {"Their From addresses, one probe for each: name one of each sender domain.",
         "差出人のアドレス。それぞれについて 1 通送るので、差出人ドメインごとに 1 つ書く。"});
  s.add("subject", &S::subject, "todoku",
        {"Beginning of the subject; a word of 20 digits follows, by which the mail is found.",
         "件名の先頭。続けて、メールを探すための 20 桁の語が付く。"})
      .required();
  s.add("text", &S::text, "This is a test mail of our mail server. Nothing needs to be done.",
        {"Text of the mail. What it says decides where it is filed, too: let it be like your own "
         "mail.",
         "本文。振り分けは本文にも左右されるので、普段のメールに近い内容にする。"})
      .required();
  s.add("every_minutes", &S::every_minutes, 0,
        {"Each mailbox is tried that often, by itself. 0: only by `todoku probe run`.",
         "この間隔で、すべてのメールボックスを自動的に調べる。0 なら `todoku probe run` "
         "のときだけ。"})
      .unit("minutes")
      .range(0, 10'080);
  s.add("limit_seconds", &S::limit_seconds, 600,
        {"So long a mail is looked for after it was sent; then it is `missing`.",
         "送ってからこの時間だけ探し、見つからなければ `missing` とする。"})
      .unit("seconds")
      .range(10, 86'400);
  s.add("remove", &S::remove, true,
        {"Whether the mail is deleted from the mailbox once it was found.",
         "見つけたメールをメールボックスから消すか。"});
  s.add("keep_days", &S::keep_days, 90,
        {"So long the history of probes is kept.", "結果の履歴を残す日数。"})
      .unit("days")
      .range(1, 3'650);
  return std::move(s).build();
}

void add_reading(SectionBuilder<Config::ProbeMailbox>& s) {
  using S = Config::ProbeMailbox;
  s.add("host", &S::host, "",
        {"Its IMAP server, e.g. `imap.gmail.com`.", "IMAP サーバー。例: `imap.gmail.com`。"})
      .form(TextForm::host)
      .required();
  s.add("port", &S::port, 993, {"Port of the IMAP server.", "IMAP サーバーのポート。"})
      .range(1, 65'535);
  s.add("tls", &S::tls, "implicit",
        {"`implicit`: TLS from the start. `starttls`: by STARTTLS. The certificate must prove the "
         "host. `none`: clear text, for a server on this machine.",
         "`implicit` は接続直後から TLS、`starttls` は STARTTLS（どちらも証明書でホストを検証す"
         "る）。`none` は平文で、同じ機械のサーバーだけに使える。"})
      .choices({"implicit", "starttls", "none"});
  s.add("ca_file", &S::ca_file, "",
        {"Trusted roots (PEM). Empty: the system's.",
         "信頼するルート証明書（PEM）。空ならシステムのもの。"})
      .form(TextForm::path);
  s.add("user", &S::user, "", {"Name to log in with.", "ログインする名前。"}).required();
  s.add("password_file", &S::password_file, "",
        {"File of the password (of an app password, where the provider has them), mode 0600, read "
         "anew each time.",
         "パスワード（プロバイダーにアプリパスワードがあればそれ）のファイル。モード 0600。毎回読"
         "み直す。"})
      .form(TextForm::path);
  s.add("password_variable", &S::password_variable, "",
        {"Environment variable that holds the password, instead of a file.",
         "ファイルの代わりにパスワードを入れた環境変数の名前。"})
      .form(TextForm::label);
  s.add("login", &S::login, "password",
        {"`password`, or `bearer`: the file holds an OAuth 2.0 access token, which you renew.",
         "`password`、または `bearer`（ファイルの中身が OAuth 2.0 のアクセストークン。更新は運用者"
         "が行う）。"})
      .choices({"password", "bearer"});
}

ConfigSection mailboxes() {
  using S = Config::ProbeMailbox;
  SectionBuilder<S> s(
      "probe.mailbox", &Config::probe_mailboxes,
      {"A mailbox of your own at a receiver.", "受信側に用意した、調べるためのメールボックス。"});
  s.add("name", &S::name, "",
        {"Its name in the history, logs and metrics.", "履歴、ログ、計測値に出る名前。"})
      .form(TextForm::label)
      .required();
  s.add("provider", &S::provider, "",
        {"Whose it is, e.g. `gmail`, for who reads the history. Empty: the domain of the address.",
         "どのプロバイダーのものか。例: `gmail`。空ならアドレスのドメイン。"})
      .form(TextForm::label);
  s.add("address", &S::address, "", {"Its address.", "アドレス。"}).required();
  s.add("authserv_id", &S::authserv_id, "",
        {"The receiver's name in the Authentication-Results that it writes (RFC 8601), e.g. "
         "`mx.google.com`; names below it count, too. Only its verdicts of SPF, DKIM and DMARC "
         "are believed. Empty: none is.",
         "受信側が Authentication-Results（RFC 8601）に書く自分の名前。例: `mx.google.com`。その下"
         "の名前も含む。SPF、DKIM、DMARC の判定は、この名前のものだけを信用する。空なら判定を記録"
         "しない。"})
      .form(TextForm::domain);
  add_reading(s);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> probe_sections() {
  return {probe(), mailboxes()};
}

}  // namespace todoku::config
