// SPDX-License-Identifier: Apache-2.0
// Keys about mail that comes back: where it is taken, for which domains, and how much of it.
#include "config/table.h"

namespace todoku::config {
namespace {

void add_limits(SectionBuilder<Config::Inbound>& s) {
  using S = Config::Inbound;
  s.add("message_bytes_max", &S::message_bytes_max, 20 * 1024 * 1024,
        {"Largest mail; told to clients as SIZE. Of a returned mail the first MiB is read.",
         "メール 1 通の最大サイズ。SIZE としてクライアントに伝える。戻ってきたメールは先頭の 1 MiB "
         "だけを読む。"})
      .unit("bytes")
      .range(64 * 1024, 64.0 * 1024 * 1024);
  s.add("connections_max", &S::connections_max, 200,
        {"Connections open at once; more are answered 421.",
         "同時接続数の上限。超えた分には 421 を返す。"})
      .unit("connections")
      .range(1, 100'000);
  s.add("connections_per_network_max", &S::connections_per_network_max, 20,
        {"Connections of one client (an IPv4 address, or the /64 of an IPv6 address); more are "
         "answered 421. 0: no limit.",
         "1 クライアント（IPv4 アドレス、または IPv6 の /64）からの同時接続数の上限。超えた分には "
         "421 を返す。0 は無制限。"})
      .unit("connections")
      .range(0, 100'000);
  s.add("network_messages_per_minute", &S::network_messages_per_minute, 6'000,
        {"Mails of one client in a minute; more are answered 451. 0: no limit.",
         "1 クライアントが 1 分間に渡せるメールの数。超えた分には 451 を返す。0 は無制限。"})
      .unit("messages")
      .range(0, 10'000'000);
  s.add("recipient_messages_per_minute", &S::recipient_messages_per_minute, 10,
        {"Mails in a minute to the return path of one mail; more are answered 450. 0: no limit.",
         "1 通のメールの戻り先アドレスに 1 分間に届くメールの数。超えた分には 450 を返す。0 "
         "は無制限。"})
      .unit("messages")
      .range(0, 10'000'000);
  s.add("idle_seconds", &S::idle_seconds, 300,
        {"A client that says nothing for so long is answered 421 (RFC 5321 section 4.5.3.2.7).",
         "クライアントが何も言わないまま過ぎると 421 を返して切る時間。RFC 5321 は 300 "
         "以上を求めている。"})
      .unit("seconds")
      .range(10, 3600);
}

void add_milters(SectionBuilder<Config::Inbound>& s) {
  using S = Config::Inbound;
  s.add(
      "milters", &S::milters, {},
      {"Filters that each mail passes once it has come in whole, in this order (milter protocol: "
       "rspamd, opendkim, clamav-milter): the path of a Unix socket, or an address of this "
       "machine or of a private network with its port, e.g. `[\"/run/rspamd/milter.sock\", "
       "\"127.0.0.1:8891\"]`.",
       "受け取ったメールを順に通すフィルター（milter プロトコル。rspamd、opendkim、clamav-milter "
       "など）。Unix ソケットのパス、またはこのマシンかプライベートネットワークのアドレスとポート。"
       "例: `[\"/run/rspamd/milter.sock\", \"127.0.0.1:8891\"]`。"});
  s.add(
       "milter_away", &S::milter_away, "tempfail",
       {"A filter that cannot be asked, or does not answer in time. `tempfail`: mail is answered "
        "451 until it is back. `accept`: mail passes without it.",
        "フィルターに接続できない、または時間内に応答がないとき。`tempfail` は復旧するまで 451 を返"
        "す。`accept` はそのフィルターを通さずに受け取る。"})
      .choices({"tempfail", "accept"});
  s.add("milter_seconds", &S::milter_seconds, 30,
        {"How long one filter may take with one mail.",
         "1 つのフィルターが 1 通のメールにかけてよい時間。"})
      .unit("seconds")
      .range(1, 300);
}

ConfigSection inbound() {
  using S = Config::Inbound;
  SectionBuilder<S> s(
      "inbound", &Config::inbound,
      {"Mail that comes back: returned mail, complaints, reports. Where the MX "
       "record of the return-path domain leads.",
       "戻ってくるメール（配送不能通知、苦情、レポート）の受け取り。戻り先ドメインの "
       "MX レコードが指す先。"});
  s.add("enabled", &S::enabled, false,
        {"Whether it is taken here, in a process with the role `inbound`.",
         "ここで受け取るか。役割 `inbound` を持つプロセスが受け取る。"});
  s.add("listen", &S::listen, {"0.0.0.0:25", "[::]:25"},
        {"Where. Others connect to port 25 alone.",
         "待つアドレス。相手のサーバーがつなぐのは 25 番ポートだけ。"})
      .form(TextForm::endpoint)
      .required();
  s.add("domains", &S::domains, {},
        {"The domains of return paths. Empty: `smtp_out.return_path_domain`. One that was used "
         "before stays here for as long as mail may come back to it.",
         "戻り先アドレスのドメイン。空なら `smtp_out.return_path_domain`。以前使っていたドメイン"
         "も、メールが戻りうる間は残しておく。"})
      .form(TextForm::domain);
  s.add(
      "report_addresses", &S::report_addresses, {},
      {"Addresses, of any domain, to which receivers send DMARC and TLS reports. What comes there "
       "is read as by `todoku reports import`.",
       "受信側が DMARC、TLS レポートを送ってくるアドレス（ドメインは問わない）。届いたものは "
       "`todoku reports import` と同じように読み込む。"});
  s.add("forward_to", &S::forward_to, "",
        {"Who reads what people write to abuse@ and postmaster@ of the domains: an address "
         "elsewhere, to which it is sent on. Empty: it is refused, which RFC 5321 forbids.",
         "各ドメインの abuse@ と postmaster@ 宛のメールを読む人のアドレス（別のドメイン）。ここへ送"
         "る。空なら受け取らない（RFC 5321 に反する）。"});
  s.add("forward_account", &S::forward_account, "",
        {"The account as whose mail it is sent on.", "その転送メールの送信元になるアカウント。"});
  add_milters(s);
  add_limits(s);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> inbound_sections() {
  return {inbound()};
}

}  // namespace todoku::config
