// SPDX-License-Identifier: Apache-2.0
// Keys about the way out: DNS, sending addresses, retries, memory.
#include "config/table.h"

namespace todoku::config {
namespace {

constexpr double kDaySeconds = 86'400;

ConfigSection dns() {
  using S = Config::Dns;
  SectionBuilder<S> s("dns", &Config::dns,
                      {"How receivers are looked up.", "受信側サーバーの調べ方。"});
  s.add(
       "servers", &S::servers, {},
       {"Name servers to ask, with a port if it is not 53, e.g. `127.0.0.1:5353`; all alike. "
        "Empty: those of /etc/resolv.conf.",
        "問い合わせ先の DNS サーバー。ポートが 53 でなければ付ける（例: `127.0.0.1:5353`）。空なら "
        "/etc/resolv.conf のもの。"})
      .form(TextForm::resolver);
  s.add(
       "check_names", &S::check_names, {".", "com.", "org.", "jp."},
       {"Zones that the name servers must know, and below which a random name must not exist. As "
        "long as a server denies one of them, or has addresses for names that do not exist, mail "
        "to "
        "domains that it denies waits instead of bouncing. In a closed network name zones of its "
        "own (each has NS records; `.` if it has a root). Empty: no check, whatever the name "
        "servers deny bounces.",
        "DNS サーバーが必ず知っているはずのゾーン。その下のでたらめな名前は存在しないはず。これを存"
        "在しないと答えたり、存在しない名前にアドレスを返したりするサーバーがある間は、そのサーバ"
        "ーが存在しないと言うドメイン宛のメールを不達とせず待たせる。閉じたネットワークでは自前の"
        "ゾーン（NS レコードを持つもの。ルートがあれば "
        "`.`）を書く。空なら検査せず、存在しないと言われたものはすべて不達とする。"})
      .form(TextForm::zone);
  s.add("trust_anchor_files", &S::trust_anchor_files, {},
        {"Files of DNSSEC trust anchors, e.g. `/usr/share/dns/root.key`. Without any, answers are "
         "not validated.",
         "DNSSEC のトラストアンカーのファイル（例: "
         "`/usr/share/dns/root.key`）。なければ検証しない。"})
      .form(TextForm::path);
  s.add("timeout_seconds", &S::timeout_seconds, 15,
        {"A question without an answer for so long counts as a temporary failure.",
         "この時間答えがなければ一時的な失敗とみなす。"})
      .unit("seconds")
      .range(1, 120);
  s.add("cache_bytes", &S::cache_bytes, 32 * 1024 * 1024,
        {"Memory for answers.", "回答のキャッシュに使うメモリー。"})
      .unit("bytes")
      .range(1024 * 1024, 16.0 * 1024 * 1024 * 1024);
  return std::move(s).build();
}

void add_smtp_names(SectionBuilder<Config::SmtpOut>& s) {
  using S = Config::SmtpOut;
  s.add("hello_name", &S::hello_name, "",
        {"Name in EHLO; it should resolve to the sending address, and back. Empty: this machine's "
         "name.",
         "EHLO で名乗る名前。送信元アドレスと正引き・逆引きで対応していること。空ならこのマシンの"
         "名前。"})
      .form(TextForm::host);
  s.add("return_path_domain", &S::return_path_domain, "",
        {"Domain of MAIL FROM, where bounces come back. Empty: the hello name.",
         "MAIL FROM（エラーメールの戻り先）のドメイン。空なら EHLO の名前。"})
      .form(TextForm::host);
  s.add("message_id_domain", &S::message_id_domain, "",
        {"Right side of Message-ID. Empty: the return path's domain.",
         "Message-ID の右辺。空なら戻り先のドメイン。"})
      .form(TextForm::domain);
  s.add("own_names", &S::own_names, {},
        {"Host names of this installation. A receiver whose MX is one of them, or one of the "
         "sending addresses, is refused, because the mail would come back to us.",
         "この環境自身のホスト名。MX がこれらや送信元アドレスを指す宛先は、メールが自分に戻ってく"
         "るため拒否する。"})
      .form(TextForm::domain);
}

ConfigSection smtp_out() {
  using S = Config::SmtpOut;
  SectionBuilder<S> s("smtp_out", &Config::smtp_out,
                      {"How mail is handed to receivers.", "受信側サーバーへの渡し方。"});
  add_smtp_names(s);
  s.add(
      "sandbox", &S::sandbox, false,
      {"Nothing leaves this machine: mail of every account ends in the sandbox "
       "(docs/sandbox.md), and webhooks reach only what `outbound.allow` names. For a place to "
       "try in; `todoku serve --dev` makes one.",
       "この機械から何も送り出さない。全アカウントのメールはサンドボックス（docs/sandbox.ja.md）で"
       "終わり、webhook は `outbound.allow` で許した先にだけ届く。試験環境向け。`todoku serve "
       "--dev` はこの環境を作る。"});
  s.add(
      "allow_private_receivers", &S::allow_private_receivers, false,
      {"Whether to send to receivers on loopback, private and other special addresses. For tests "
       "and for internal mail only.",
       "ループバックやプライベートアドレスなどの受信側サーバーに送るか。テストや社内メール専用。"});
  s.add(
       "tls_ca_file", &S::tls_ca_file, "",
       {"PEM file of the authorities whose certificates prove a receiver's name. Empty: those that "
        "the system trusts.",
        "受信側サーバーの証明書を検証する認証局の PEM ファイル。空ならシステムが信頼する認証局。"})
      .form(TextForm::path);
  s.add(
      "mta_sts", &S::mta_sts, true,
      {"Whether to go by the MTA-STS policies of recipients' domains (RFC 8461). A domain's first "
       "mail waits up to 10 seconds for its policy, which is fetched by HTTPS from the host "
       "`mta-sts` below it. Sites may be excepted: `sites.*.mta_sts`.",
       "宛先ドメインの MTA-STS ポリシー（RFC 8461）に従うか。ポリシーはドメインの下のホスト "
       "`mta-sts` から HTTPS で取得し、そのドメイン宛の最初のメールは最大 10 "
       "秒それを待つ。サイトごとに切るには `sites.*.mta_sts`。"});
  s.add("mta_sts_port", &S::mta_sts_port, 443,
        {"Port of the hosts that policies are fetched from. Another one than 443 is for tests.",
         "ポリシーを取得するホストのポート。443 以外はテスト用。"})
      .range(1, 65'535);
  s.add(
       "connections_max", &S::connections_max, 10'000,
       {"Connections to all receivers together; mail for others waits. Fewer if the system allows "
        "fewer open files. Each takes about 30 KB of memory.",
        "すべての受信側サーバーへの同時接続数の上限。超える分のメールは待つ。開けるファイル数の上限"
        "が小さければ自動的に減る。1 接続あたり約 30 KB のメモリーを使う。"})
      .unit("connections")
      .range(1, 1'000'000);
  s.add("connect_seconds", &S::connect_seconds, 30,
        {"Time-out of one connection attempt.", "接続 1 回のタイムアウト。"})
      .unit("seconds")
      .range(1, 600);
  s.add("greeting_seconds", &S::greeting_seconds, 300,
        {"Time-out of the greeting (RFC 5321 section 4.5.3.2.1).",
         "最初の応答（220）を待つ時間（RFC 5321 4.5.3.2.1）。"})
      .unit("seconds")
      .range(1, 3600);
  s.add("command_seconds", &S::command_seconds, 300,
        {"Time-out of EHLO, MAIL and RCPT (RFC 5321 section 4.5.3.2.2-3).",
         "EHLO、MAIL、RCPT の応答を待つ時間（RFC 5321 4.5.3.2.2-3）。"})
      .unit("seconds")
      .range(1, 3600);
  s.add("data_block_seconds", &S::data_block_seconds, 180,
        {"Time-out of one piece of the message (RFC 5321 section 4.5.3.2.5).",
         "本文を送る途中で止まってよい時間（RFC 5321 4.5.3.2.5）。"})
      .unit("seconds")
      .range(1, 3600);
  s.add("data_end_seconds", &S::data_end_seconds, 600,
        {"Time-out of the answer to the whole message; too short a time makes duplicates (RFC 5321 "
         "section 4.5.3.2.6).",
         "本文を送り終えてから応答を待つ時間。短すぎると二重配信になる（RFC 5321 4.5.3.2.6）。"})
      .unit("seconds")
      .range(1, 3600);
  return std::move(s).build();
}

void add_retry_keys(SectionBuilder<Config::Delivery>& s) {
  using S = Config::Delivery;
  s.add("site_rest_first_seconds", &S::site_rest_first_seconds, 10,
        {"Rest of a site after its first failure in a row (no connection, 421).",
         "サイトが応答しない、421 を返すなどの失敗が始まったときに、最初に休む時間。"})
      .unit("seconds")
      .range(1, 3600);
  s.add("site_rest_longest_seconds", &S::site_rest_longest_seconds, 1800,
        {"The rest doubles with every failure up to this.",
         "失敗が続くと休む時間は倍になっていく。その上限。"})
      .unit("seconds")
      .range(1, kDaySeconds);
  s.add("transactional_retry_seconds", &S::transactional_retry_seconds,
        {60, 300, 900, 1800, 3600, 7200},
        {"Waits after the 1st, 2nd, ... attempt at a transactional mail; the last one repeats.",
         "トランザクションメールの 1 回目、2 回目…の失敗後に待つ時間。最後の値が繰り返される。"})
      .unit("seconds")
      .range(1, kDaySeconds)
      .required();
  s.add("bulk_retry_seconds", &S::bulk_retry_seconds, {300, 900, 1800, 3600, 7200},
        {"The same for bulk mail.", "一斉配信のメールについて同様。"})
      .unit("seconds")
      .range(1, kDaySeconds)
      .required();
  s.add("greylist_retry_seconds", &S::greylist_retry_seconds, {180, 180, 600},
        {"Waits after the first attempts where the receiver greylists; then the usual ones.",
         "受信側がグレイリストで断ったときに、最初の何回かの失敗後に待つ時間。そのあとは通常どおり"
         "。"})
      .unit("seconds")
      .range(1, kDaySeconds);
  s.add("rate_retry_seconds", &S::rate_retry_seconds, {600, 1800, 3600, 7200},
        {"Waits after a reply that wants less mail at a time; the last one repeats, and none is "
         "shorter than the usual one.",
         "送る速さを理由に断られたときに、失敗後に待つ時間。最後の値が繰り返され、通常より短くは"
         "ならない。"})
      .unit("seconds")
      .range(1, kDaySeconds);
  s.add("refused_retry_seconds", &S::refused_retry_seconds, {900, 3600, 7200, 14400},
        {"The same where every host of the receiver refuses to talk with us (5xx at the greeting).",
         "受信側のどのホストにも通信そのものを拒否された（最初の応答が 5xx の）場合について同様。"})
      .unit("seconds")
      .range(1, kDaySeconds);
  s.add("transactional_expiry_hours", &S::transactional_expiry_hours, 24,
        {"A transactional mail not delivered by then is given up (`expired`).",
         "トランザクションメールをあきらめる（`expired`）までの時間。"})
      .unit("hours")
      .range(0.001, 240);
  s.add("bulk_expiry_hours", &S::bulk_expiry_hours, 24,
        {"The same for bulk mail.", "一斉配信のメールについて同様。"})
      .unit("hours")
      .range(0.001, 240);
  s.add(
       "reservation_expiry_hours", &S::reservation_expiry_hours, 24,
       {"A reservation missed by more than this, because the engine was down, fails instead of "
        "starting late.",
        "停止中に予約時刻を過ぎた配信は再開後に始まるが、遅れがこの時間を超えていれば失敗とする。"})
      .unit("hours")
      .range(0.001, 8760);
}

void add_memory_keys(SectionBuilder<Config::Delivery>& s) {
  using S = Config::Delivery;
  s.add("unrecorded_max", &S::unrecorded_max, 256,
        {"Outcomes not yet on disk at which sending pauses: the most mails, besides those on open "
         "connections, that a crash can make go twice.",
         "未保存の結果がこの数に達すると送信を止める。クラッシュ時に二重に送られうるメールは、最大"
         "でこの数と送信中の接続数の合計。"})
      .unit("outcomes")
      .range(1, 100'000);
  s.add("outstanding_max", &S::outstanding_max, 100'000,
        {"Recipients in memory at once, of all sites.", "同時にメモリーに載せる宛先の数（全体）。"})
      .unit("recipients")
      .range(1'000, 10'000'000);
  s.add("site_outstanding_max", &S::site_outstanding_max, 20'000,
        {"Recipients in memory at once, of one site and one address to send from.",
         "同時にメモリーに載せる宛先の数（1 サイト・1 送信元アドレスの組ごと）。"})
      .unit("recipients")
      .range(500, 10'000'000);
  s.add(
       "content_cache_bytes", &S::content_cache_bytes, 64 * 1024 * 1024,
       {"Memory for the contents of deliveries that are going out. Attachments larger than 1/64 of "
        "it are read from the store in slices while they are sent.",
        "送信中の配信の内容を置くメモリー。その 1/64 を超える添付ファイルは、送信しながら"
        "ストアから少しずつ読む。"})
      .unit("bytes")
      .range(1024 * 1024, 16.0 * 1024 * 1024 * 1024);
}

void add_message_keys(SectionBuilder<Config::Delivery>& s) {
  using S = Config::Delivery;
  s.add("rsa_arithmetic", &S::rsa_arithmetic, "openssl",
        {"How RSA signatures of DKIM are computed. `openssl`: all by OpenSSL. `fastest`: those of "
         "2048-bit keys eight at a time where the processor has AVX-512 IFMA, each checked with "
         "OpenSSL before it leaves: more mails a core, by arithmetic of our own that nobody else "
         "has reviewed yet.",
         "DKIM の RSA 署名の計算方法。`openssl` ではすべて OpenSSL で計算する。`fastest` "
         "では、プロセッサーに AVX-512 IFMA があれば 2048 ビットの鍵の署名を 8 "
         "つずつまとめて計算し、それぞれ OpenSSL で検証してから使う。1 "
         "コアあたりの通数は増えるが、独自の演算であり、第三者の検証はまだ受けていない。"})
      .choices({"openssl", "fastest"})
      .required();
  s.add("date_offset_minutes", &S::date_offset_minutes, 540,
        {"Time zone of the Date header; 540 is +0900.",
         "Date ヘッダーのタイムゾーン。540 は +0900。"})
      .unit("minutes")
      .range(-720, 840);
}

ConfigSection delivery() {
  SectionBuilder<Config::Delivery> s("delivery", &Config::delivery,
                                     {"Retries, memory, signing.", "再送、メモリー、署名。"});
  add_retry_keys(s);
  add_memory_keys(s);
  add_message_keys(s);
  return std::move(s).build();
}

ConfigSection suppression() {
  using S = Config::Suppression;
  SectionBuilder<S> s(
      "suppression", &Config::suppression,
      {"When addresses are stopped by themselves.", "アドレスへの送信を自動で止める条件。"});
  s.add(
       "hard_errors", &S::hard_errors, 2,
       {"An address is stopped after so many hard errors of different deliveries that speak "
        "against "
        "the address itself. 0: never.",
        "アドレス自体が原因のハードエラーが、別々の配信でこの回数に達したら、そのアドレスへの送信を"
        "止める。0 なら止めない。"})
      .range(0, 100);
  s.add("hard_errors_within_hours", &S::hard_errors_within_hours, 14 * 24.0,
        {"Each of them no longer after the one before.",
         "前回のハードエラーからこの時間以内のものを数える。"})
      .unit("hours")
      .range(1, 10'000);
  s.add("hard_error_hours", &S::hard_error_hours, 14 * 24.0,
        {"How long it is stopped, from the last hard error. 0: until somebody removes it.",
         "最後のハードエラーから止めておく時間。0 なら解除されるまで止める。"})
      .unit("hours")
      .range(0, 100'000);
  return std::move(s).build();
}

ConfigSection rules() {
  using S = Config::Rules;
  SectionBuilder<S> s("rules", &Config::rules,
                      {"Where limits of receiving sites, and what their answers mean, come from.",
                       "受信サイトごとの制限と、応答の意味の読み込み元。"});
  s.add("file", &S::file, "",
        {"TOML file of rules over those that come with the engine (`rules/sites.toml`); "
         "`[sites.*]` in "
         "this file goes over both.",
         "同梱のルール（`rules/sites.toml`）に重ねる TOML ファイル。このファイルの `[sites.*]` "
         "はさら"
         "にその上に重なる。"})
      .form(TextForm::path);
  s.add(
       "replies_file", &S::replies_file, "",
       {"TOML file of rules for what receivers' answers mean, which go before those that come "
        "with the engine (`rules/replies.toml`, where the form is told). `todoku rules check` "
        "reads it, `todoku rules explain` tells which rule speaks.",
        "受信側の応答の意味を決めるルールの TOML "
        "ファイル。同梱のルール（`rules/replies.toml`。書式の"
        "説明もそこにある）より先に調べる。検査は `todoku rules check`、どのルールが当てはまるかは "
        "`todoku rules explain` で確認できる。"})
      .form(TextForm::path);
  s.add("automations_file", &S::automations_file, "",
        {"TOML file of what is done by itself when a receiver gives a certain answer, over what "
         "comes with the engine (`rules/automations.toml`, where the form is told).",
         "受信側の応答に応じて自動で行うことを書いた TOML "
         "ファイル。同梱のもの（`rules/automations.toml`。書式の説明もそこにある）に重なる。"})
      .form(TextForm::path);
  s.add("advice_file", &S::advice_file, "",
        {"TOML file of words in which stories tell what an answer means and what to do, which go "
         "before those that come with the engine (`rules/advice.toml`, where the form is told).",
         "応答の意味と対応を説明する文言の TOML "
         "ファイル。同梱の文言（`rules/advice.toml`。書式の説明"
         "もそこにある）より先に使う。"})
      .form(TextForm::path);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> delivery_sections() {
  std::vector<ConfigSection> all = {dns(), smtp_out(), egress_section()};
  std::vector<ConfigSection> pools = pool_sections();
  for (ConfigSection& section : pools) all.push_back(std::move(section));
  for (ConfigSection section : {delivery(), suppression(), rules()}) {
    all.push_back(std::move(section));
  }
  return all;
}

}  // namespace todoku::config
