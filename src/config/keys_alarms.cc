// SPDX-License-Identifier: Apache-2.0
// Keys about alarms: what goes wrong, told to operators by another way than the engine's own.
#include "config/table.h"

namespace todoku::config {
namespace {

void add_way(SectionBuilder<Config::Alarms>& s) {
  using S = Config::Alarms;
  s.add("via", &S::via, "",
        {"Smarthost that takes the mail, e.g. `smtp://smtp.example.com:587`; not this engine's own "
         "relay: alarms must get out when it cannot send. Needed with `mail_to`.",
         "メールを預けるスマートホスト。例: `smtp://smtp.example.com:587`。このエンジンが送れないと"
         "きにも届くよう、このエンジン自身のリレーは指定しない。`mail_to` があれば必須。"})
      .form(TextForm::smarthost);
  s.add("via_user", &S::via_user, "",
        {"Name to log in at the smarthost with. Empty: no login.",
         "スマートホストにログインする名前。空ならログインしない。"});
  s.add("via_password_file", &S::via_password_file, "",
        {"File of the password, mode 0600, read anew for each mail.",
         "パスワードのファイル（モード 0600）。送るたびに読む。"})
      .form(TextForm::path);
  s.add("via_password_variable", &S::via_password_variable, "",
        {"Environment variable that holds the password, instead of a file.",
         "ファイルの代わりにパスワードを入れた環境変数の名前。"})
      .form(TextForm::label);
  s.add("via_tls", &S::via_tls, "verified",
        {"`verified`: TLS by STARTTLS with a certificate that proves the smarthost's name. "
         "`unverified`: TLS, whatever the certificate proves. `none`: clear text, without login.",
         "`verified` は STARTTLS で証明書を検証する。`unverified` は TLS だが検証しない。`none` は"
         "平文（ログインなし）。"})
      .choices({"verified", "unverified", "none"});
}

ConfigSection alarms() {
  using S = Config::Alarms;
  SectionBuilder<S> s("alarms", &Config::alarms,
                      {"Errors of the log, told to operators (docs/operating.md, \"Alarms by mail "
                       "and by a call\").",
                       "ログのエラーを運用者に知らせる（docs/operating.md の「Alarms by mail and "
                       "by a call」）。"});
  s.add("mail_to", &S::mail_to, {},
        {"Addresses that are told, at most 20. None: nobody is, by mail.",
         "知らせる先のアドレス（20 件まで）。なければメールでは知らせない。"});
  s.add("mail_from", &S::mail_from, "",
        {"From address and return path of that mail. Needed with `mail_to`.",
         "そのメールの差出人とリターンパス。`mail_to` があれば必須。"});
  add_way(s);
  s.add("webhook_url", &S::webhook_url, "",
        {"URL that gets a POST with the same as JSON. Such URLs often are a secret.",
         "同じ内容を JSON で POST する URL。URL そのものが秘密であることが多い。"})
      .form(TextForm::url)
      .secret("TODOKU_ALARMS__WEBHOOK_URL");
  s.add("gather_seconds", &S::gather_seconds, 30,
        {"The first alarm waits that long for what belongs to it.",
         "最初のアラームは、関連するものをまとめるため、この時間だけ待つ。"})
      .unit("seconds")
      .range(0, 3'600);
  s.add("minutes_between", &S::minutes_between, 15,
        {"No more than one mail and one call in that time, which then tell all that happened.",
         "この時間に 1 通（1 回）まで。その間のことはまとめて知らせる。"})
      .unit("minutes")
      .range(1, 1'440);
  s.add("warnings", &S::warnings,
        {"bulk mail is held back to protect its sender", "probe did not reach the inbox",
         "probe ended without a result", "a filter of mail that comes in cannot be asked"},
        {"Events of the log that are told though they are warnings, too.",
         "エラーでなく警告でも知らせるログのイベント。"});
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> alarm_sections() {
  return {alarms()};
}

}  // namespace todoku::config
