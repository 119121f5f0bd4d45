// SPDX-License-Identifier: Apache-2.0
// Keys about sources: where mail leaves, and by what way.
#include "config/table.h"

namespace todoku::config {
namespace {

void add_smarthost_keys(SectionBuilder<Config::Egress>& s) {
  using S = Config::Egress;
  s.add("via", &S::via, "",
        {"Smarthost that takes all mail of this source, whatever its domain, e.g. "
         "`smtp://smtp.example.com:587` (the port if none is given). It is a site of its own, so "
         "limits are those of `[sites]` for its name. Empty: mail goes to the receivers' own "
         "servers.",
         "この送信元のメールを宛先によらずすべて預けるスマートホスト。例: "
         "`smtp://smtp.example.com:587`（ポートを省くと 587）。それ自体が 1 つのサイトになり、"
         "制限はその名前の `[sites]` に従う。空なら受信側のサーバーに直接送る。"})
      .form(TextForm::smarthost);
  s.add("via_user", &S::via_user, "",
        {"Name to log in at the smarthost with (AUTH by SCRAM-SHA-256, PLAIN or LOGIN). Empty: no "
         "login.",
         "スマートホストにログインする名前（SCRAM-SHA-256、PLAIN、LOGIN による "
         "AUTH）。空ならログインしない。"});
  s.add("via_password_file", &S::via_password_file, "",
        {"File of the password, mode 0600, read anew for each connection: change it there, and it "
         "counts at once.",
         "パスワードのファイル（モード "
         "0600）。接続のたびに読むので、書き換えればすぐ有効になる。"})
      .form(TextForm::path);
  s.add("via_password_variable", &S::via_password_variable, "",
        {"Environment variable that holds the password, instead of a file, e.g. "
         "`SMARTHOST_PASSWORD`.",
         "ファイルの代わりにパスワードを入れた環境変数の名前。例: `SMARTHOST_PASSWORD`。"})
      .form(TextForm::label);
  s.add("via_tls", &S::via_tls, "verified",
        {"`verified`: TLS by STARTTLS with a certificate that proves the smarthost's name. "
         "`unverified`: TLS, whatever the certificate proves. `none`: clear text, for a host on "
         "this machine or network; nobody logs in there.",
         "`verified` は STARTTLS による TLS を必須とし、証明書でスマートホストの名前を検証する。"
         "`unverified` は TLS は必須だが証明書は検証しない。`none` "
         "は平文（同じ機械や社内のホスト向け）で、ログインはできない。"})
      .choices({"verified", "unverified", "none"});
}

void add_pool_keys(SectionBuilder<Config::Egress>& s) {
  using S = Config::Egress;
  s.add("weight", &S::weight, 1,
        {"Its share of the traffic beside the other sources that send the same: one of weight 3 "
         "gets "
         "three times what one of weight 1 does. When a weight changes, only the mail moves that "
         "has "
         "to. 0: only while no other lives.",
         "同じ種類のメールを送るほかの送信元と比べた割合。3 なら 1 の 3 "
         "倍を送る。変えたときに送信元が変わるのは、移す必要のあるメールだけ。0 "
         "はほかが使えないときだけ送る。"})
      .range(0, 1000);
  s.add(
       "traffic", &S::traffic, "any",
       {"`transactional` or `bulk`: kept for mail of this class, which then leaves by such sources "
        "alone and waits while none of them can send; so the reputation of each "
        "class is its own. `any`: for whatever has no sources of its own.",
        "`transactional` または `bulk` "
        "なら、その種類のメール専用になる。その種類は専用の送信元だけから送り、どれも使えない間は待"
        "つ"
        "（評判を分ける）。`any` は専用の送信元がない種類のメールを送る。"})
      .choices({"any", "transactional", "bulk"});
}

void add_warm_up_keys(SectionBuilder<Config::Egress>& s) {
  using S = Config::Egress;
  s.add("warm_up_from", &S::warm_up_from, "",
        {"The first day on which a new source sends, e.g. `2026-12-01`: from then on each day's "
         "volume is limited until the plan is over. Days are those of "
         "`delivery.date_offset_minutes`. Empty: no limit.",
         "新しい送信元から送り始める日。例: `2026-12-01`。計画が終わるまで 1 "
         "日の通数を制限する。日付の"
         "区切りは `delivery.date_offset_minutes` による。空なら制限しない。"});
  s.add("warm_up_volumes", &S::warm_up_volumes,
        {200, 500, 1'000, 2'000, 5'000, 10'000, 20'000, 40'000, 50'000, 75'000, 100'000, 150'000,
         200'000, 250'000},
        {"The plan: how many mails it sends each day, in all. After the last one it is over.",
         "計画。1 日に送る通数の合計を順に並べる。最後まで終わると制限はなくなる。"})
      .range(1, 100'000'000);
  s.add("warm_up_site_percent", &S::warm_up_site_percent, 50,
        {"What one receiver that the rules name may have of the day's volume, at most.",
         "ルールに名前のある受信側 1 つに送れる通数の、1 日の合計に対する上限。"})
      .unit("percent")
      .range(1, 100);
  s.add("warm_up_steps", &S::warm_up_steps, "reached",
        {"`reached`: the next volume comes on the day after nine tenths of the present one have "
         "been sent on one day. `daily`: with each day, whatever was sent.",
         "`reached` は、1 日の通数の 9 割以上を送った日の翌日に次の段階へ進む。`daily` "
         "は送った数によらず毎日進む。"})
      .choices({"reached", "daily"});
  s.add("warm_up_overflow", &S::warm_up_overflow, "pool",
        {"What is over the day's volume goes by other sources of its `pool`, where one can send, "
         "or waits for `tomorrow`.",
         "1 日の通数を超えたメールを、同じ組の別の送信元から送るか（`pool`）、翌日まで待つか"
         "（`tomorrow`）。"})
      .choices({"pool", "tomorrow"});
}

void add_proxy_keys(SectionBuilder<Config::Egress>& s) {
  using S = Config::Egress;
  s.add(
       "proxy", &S::proxy, "",
       {"Proxy that connects to receivers for this source, so that they see its address: "
        "`socks5://192.0.2.9:1080` (SOCKS5), or `haproxy://192.0.2.9:5000`, which is told by the "
        "PROXY protocol (version 2) to connect from `public_address`. It is never asked for names. "
        "Empty: none.",
        "この送信元の代わりに受信側へ接続し、そのアドレスを見せるプロキシ。"
        "`socks5://192.0.2.9:1080`（SOCKS5）か、PROXY プロトコル（バージョン 2）で "
        "`public_address` からの接続を頼む "
        "`haproxy://192.0.2.9:5000`。名前解決は頼まない。空なら使わない。"})
      .form(TextForm::proxy);
  s.add(
      "proxy_user", &S::proxy_user, "",
      {"Name to log in at a SOCKS5 proxy with (RFC 1929), which sees it and the password in clear "
       "text, as does the network between. Empty: no login.",
       "SOCKS5 プロキシにログインする名前（RFC "
       "1929）。名前とパスワードは平文で送られる。空ならログインしない。"});
  s.add("proxy_password_file", &S::proxy_password_file, "",
        {"File of the password, mode 0600, read anew for each connection.",
         "パスワードのファイル（モード 0600）。接続のたびに読む。"})
      .form(TextForm::path);
  s.add("proxy_password_variable", &S::proxy_password_variable, "",
        {"Environment variable that holds the password, instead of a file.",
         "ファイルの代わりにパスワードを入れた環境変数の名前。"})
      .form(TextForm::label);
}

}  // namespace

ConfigSection egress_section() {
  using S = Config::Egress;
  SectionBuilder<S> s("egress", &Config::egress,
                      {"One sending address. Several share the traffic. Without any there is one "
                       "named `default`, and the system chooses the address.",
                       "送信元アドレス。複数あれば送信を分け合う。1 つもなければ `default` という名"
                       "前のものが 1 つあるとみなし、アドレスはシステムが選ぶ。"});
  s.add("name", &S::name, "",
        {"Its name in stories, logs and metrics.", "配信の記録、ログ、計測値に出る名前。"})
      .form(TextForm::label)
      .required();
  s.add("hello_name", &S::hello_name, "",
        {"Name in EHLO. Empty: `smtp_out.hello_name`.",
         "EHLO で名乗る名前。空なら `smtp_out.hello_name`。"})
      .form(TextForm::host);
  s.add("bind_ipv4", &S::bind_ipv4, "",
        {"IPv4 address to send from. Empty: the system chooses.",
         "送信に使う IPv4 アドレス。空ならシステムが選ぶ。"})
      .form(TextForm::ip_address);
  s.add("bind_ipv6", &S::bind_ipv6, "",
        {"IPv6 address to send from. Empty: the system chooses.",
         "送信に使う IPv6 アドレス。空ならシステムが選ぶ。"})
      .form(TextForm::ip_address);
  s.add("public_address", &S::public_address, "",
        {"The address that receivers see where that is none of this machine's: behind NAT. "
         "`todoku doctor` looks at it. Empty: `ec2_public_ipv4`, else the addresses to send from.",
         "受信側から見えるアドレスがこの機械のものでないとき（NAT の内側など）に書く。`todoku "
         "doctor` が調べる。空なら `ec2_public_ipv4`、それもなければ送信に使うアドレス。"})
      .form(TextForm::ip_address);
  s.add(
       "ec2_public_ipv4", &S::ec2_public_ipv4, "",
       {"On EC2: the public address (Elastic IP) that belongs to `bind_ipv4`. Of several processes "
        "one sends from this source only while the metadata of its instance says so; after 5 "
        "minutes without an answer nobody there does. Empty: nobody is asked.",
        "EC2 で、`bind_ipv4` に対応するパブリックアドレス（Elastic IP）。複数のプロセスで動かすと"
        "き、インスタンスメタデータがこの対応を示している間だけ、この送信元から送る。5 分間応答がな"
        "ければ送らない。空なら確認しない。"})
      .form(TextForm::ip_address);
  s.add("ipv4", &S::ipv4, true, {"Whether it reaches receivers over IPv4.", "IPv4 で送るか。"});
  s.add("ipv6", &S::ipv6, false,
        {"Whether it reaches receivers over IPv6. The address needs reverse DNS: large receivers "
         "refuse IPv6 without it.",
         "IPv6 で送るか。逆引きの設定が必要（大手の受信側は逆引きのない IPv6 を拒否する）。"});
  add_pool_keys(s);
  add_warm_up_keys(s);
  add_smarthost_keys(s);
  add_proxy_keys(s);
  return std::move(s).build();
}

}  // namespace todoku::config
