// SPDX-License-Identifier: Apache-2.0
// Keys about checks of the server itself.
#include "config/table.h"

namespace todoku::config {
namespace {

void add_rest_keys(SectionBuilder<Config::Doctor>& s) {
  using S = Config::Doctor;
  s.add(
      "rest", &S::rest, true,
      {"Whether a source rests after the same definite failure of PTR, confirmation, EHLO name or "
       "port 25 three times within an hour: others of its pool send meanwhile. It comes back by "
       "itself. A listing rests it only where a receiver refuses for it.",
       "逆引き、その正引き、EHLO の名前、25 番ポートのどれかが 1 時間に 3 回続けて同じ理由で確実に"
       "失敗した送信元を休ませるか。その間はほかの送信元が送る。直れば自動で復帰する。ブロックリス"
       "トに登録されたときは、それを理由に拒否する受信側に対してだけ休む。"});
  s.add("last_may_rest", &S::last_may_rest, false,
        {"Whether a source rests as well where no other is known to pass the check, the last "
         "one, too: then it may be that nothing is sent.",
         "その検査に合格した送信元がほかになくても休ませるか（最後の 1 つも含む）。"
         "何も送信されなくなることがある。"});
}

void add_domain_keys(SectionBuilder<Config::Doctor>& s) {
  using S = Config::Doctor;
  s.add("domain_checks", &S::domain_checks, true,
        {"Whether the DNS records of each proven domain are checked on a schedule, as `todoku "
         "domain check` does (role events).",
         "所有を確認したドメインの DNS レコードを、`todoku domain check` "
         "と同じように定期的に検査するか（ロール events）。"});
  s.add("domain_check_hours", &S::domain_check_hours, 6,
        {"From one check of a domain to the next, a tenth more or less.",
         "同じドメインを検査する間隔。前後 1 割の幅を持たせる。"})
      .unit("hours")
      .range(1, 168);
  s.add("domain_server_port", &S::domain_server_port, 53,
        {"Where the name servers of domains are asked. Another one is for tests only.",
         "ドメインの DNS サーバーに問い合わせるポート。53 以外はテスト用。"})
      .range(1, 65'535);
}

ConfigSection doctor() {
  using S = Config::Doctor;
  SectionBuilder<S> s(
      "doctor", &Config::doctor,
      {"Checks of the server itself, as receivers see it: `todoku doctor`, and on a schedule where "
       "mail is sent. A source whose public address is not known is left alone.",
       "受信側から見たサーバー自身の検査。`todoku doctor` "
       "と、送信するプロセスでの定期検査。公開アド"
       "レスが分からない送信元は調べない。"});
  s.add("enabled", &S::enabled, true,
        {"Whether there are checks on a schedule.", "定期検査を行うか。"});
  s.add("interval_seconds", &S::interval_seconds, 900,
        {"From one look to the next. Above 1800 no source ever rests.",
         "検査の間隔。1800 を超えると送信元を休ませることはない。"})
      .unit("seconds")
      .range(1, 86'400);
  s.add("blocklist_interval_seconds", &S::blocklist_interval_seconds, 3600,
        {"How long what a blocklist said of an address is used before it is asked again.",
         "ブロックリストの応答を使い続ける時間。過ぎたら再び問い合わせる。"})
      .unit("seconds")
      .range(60, 604'800);
  s.add(
      "port_25_hosts", &S::port_25_hosts, {"gmail.com", "yahoo.co.jp", "outlook.com"},
      {"Whose port 25 is tried: domains with MX records, hosts or addresses, each with a port if "
       "it is another. Only where all of two or more fail, the fault is ours. Empty: none.",
       "25 番ポートへの到達を試す相手。MX のあるドメイン、ホスト、またはアドレス（別のポートなら"
       "付けて書く）。2 つ以上ですべて失敗したときだけ、こちら側の問題とみなす。空なら試さない。"});
  add_rest_keys(s);
  add_domain_keys(s);
  return std::move(s).build();
}

ConfigSection blocklist() {
  using S = Config::DoctorBlocklist;
  SectionBuilder<S> s(
      "doctor.blocklist", &Config::doctor_blocklists,
      {"A blocklist in the DNS that `todoku doctor` asks about each public address. Read its "
       "terms: "
       "most want a resolver of your own, some money.",
       "`todoku doctor` が公開アドレスについて問い合わせる DNS ブロックリスト。利用規約を確認するこ"
       "と（多くは自前のリゾルバーを、一部は契約を求める）。"});
  s.add("zone", &S::zone, "", {"Its zone.", "ゾーン。"}).form(TextForm::domain).required();
  s.add("page", &S::page, "",
        {"The page of its operator, where one asks to be taken off.",
         "運営者のページ（解除の申請先）。"})
      .form(TextForm::url);
  s.add("text", &S::text, "",
        {"What to write there; `{address}` stands for the address. Empty: a text of ours.",
         "申請に書く文。`{address}` はアドレスに置き換わる。空なら既定の文。"});
  s.add("ipv6", &S::ipv6, false,
        {"Whether it lists IPv6 addresses, too.", "IPv6 アドレスも載せるリストか。"});
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> doctor_sections() {
  return {doctor(), blocklist()};
}

}  // namespace todoku::config
