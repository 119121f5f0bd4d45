// SPDX-License-Identifier: Apache-2.0
// Keys about the SMTP relay: where programs and devices hand in mail.
#include "config/table.h"

namespace todoku::config {
namespace {

void add_limits(SectionBuilder<Config::SmtpIn>& s) {
  using S = Config::SmtpIn;
  constexpr double kBytesMax = 1024.0 * 1024 * 1024;
  s.add("message_bytes_max", &S::message_bytes_max, 50 * 1024 * 1024,
        {"Largest message; told to clients as SIZE.",
         "メール 1 通の最大サイズ。SIZE としてクライアントに伝える。"})
      .unit("bytes")
      .range(64 * 1024, kBytesMax);
  s.add("recipients_max", &S::recipients_max, 1'000,
        {"Recipients of one message; more are answered 452.",
         "メール 1 通の宛先の数。超えた分には 452 を返す。"})
      .unit("recipients")
      .range(100, 100'000);
  s.add("connections_max", &S::connections_max, 10'000,
        {"Connections open at once, of all listeners; more are answered 421.",
         "全リスナーを合わせた同時接続数の上限。超えた分には 421 を返す。"})
      .unit("connections")
      .range(1, 1'000'000);
  s.add("connections_per_network_max", &S::connections_per_network_max, 256,
        {"Connections of one client (an IPv4 address, or the /64 of an IPv6 address), and never "
         "more than half of those that the process has room for; more are answered 421. 0: no "
         "limit.",
         "1 クライアント（IPv4 アドレス、または IPv6 の /64）からの同時接続数の上限。プロセスが受け"
         "られる接続数の半分も超えない。超えた分には 421 を返す。0 は無制限。"})
      .unit("connections")
      .range(0, 1'000'000);
  s.add("idle_seconds", &S::idle_seconds, 300,
        {"A client that says nothing for so long is answered 421. Clients count on 300 "
         "(RFC 5321 section 4.5.3.2.7).",
         "クライアントが何も言わないまま過ぎると 421 を返して切る時間。RFC 5321 は 300 "
         "以上を求めている。"})
      .unit("seconds")
      .range(10, 3600);
}

constexpr std::int64_t kPerMinuteMax = 10'000'000;
constexpr double kBytesPerMinuteMax = 1e12;

void add_account_limits(SectionBuilder<Config::SmtpIn>& s) {
  using S = Config::SmtpIn;
  s.add("account_connections_max", &S::account_connections_max, 0,
        {"Connections of one account at once, with all its credentials; more logins are answered "
         "454. 0: no limit.",
         "1 アカウントの同時接続数（すべての資格情報の合計）。超えたログインには 454 を返す。0 "
         "は無制限。"})
      .unit("connections")
      .range(0, 1'000'000);
  s.add("account_messages_per_minute", &S::account_messages_per_minute, 0,
        {"Messages of one account in a minute, with all its credentials; more are answered 451. "
         "0: no limit.",
         "1 アカウントが 1 分間に渡せるメールの数（すべての資格情報の合計）。超えた分には 451 "
         "を返す。0 は無制限。"})
      .unit("messages")
      .range(0, kPerMinuteMax);
  s.add("account_recipients_per_minute", &S::account_recipients_per_minute, 0,
        {"The same of recipients.", "同じく、宛先の数。"})
      .unit("recipients")
      .range(0, kPerMinuteMax);
  s.add("account_bytes_per_minute", &S::account_bytes_per_minute, 0,
        {"The same of bytes of messages. A message that has begun is taken as a whole; the next "
         "one waits.",
         "同じく、メールのバイト数。始まったメールは最後まで受け取り、次のメールを待たせる。"})
      .unit("bytes")
      .range(0, kBytesPerMinuteMax);
}

void add_network_limits(SectionBuilder<Config::SmtpIn>& s) {
  using S = Config::SmtpIn;
  s.add("network_messages_per_minute", &S::network_messages_per_minute, 0,
        {"Messages of one client (an IPv4 address, or the /64 of an IPv6 address) in a minute; "
         "more are answered 451. 0: no limit.",
         "1 クライアント（IPv4 アドレス、または IPv6 の /64）が 1 分間に渡せるメールの数。超えた"
         "分には 451 を返す。0 は無制限。"})
      .unit("messages")
      .range(0, kPerMinuteMax);
  s.add("network_recipients_per_minute", &S::network_recipients_per_minute, 0,
        {"The same of recipients.", "同じく、宛先の数。"})
      .unit("recipients")
      .range(0, kPerMinuteMax);
  s.add("network_bytes_per_minute", &S::network_bytes_per_minute, 0,
        {"The same of bytes of messages.", "同じく、メールのバイト数。"})
      .unit("bytes")
      .range(0, kBytesPerMinuteMax);
}

void add_device_limits(SectionBuilder<Config::SmtpIn>& s) {
  using S = Config::SmtpIn;
  s.add("device_message_bytes_max", &S::device_message_bytes_max, 25 * 1024 * 1024,
        {"Largest message at listeners for devices.",
         "機器用リスナーで受けるメール 1 通の最大サイズ。"})
      .unit("bytes")
      .range(64 * 1024, 1024.0 * 1024 * 1024);
  s.add("device_recipients_max", &S::device_recipients_max, 100,
        {"Recipients of one message at listeners for devices.",
         "機器用リスナーで受けるメール 1 通の宛先の数。"})
      .unit("recipients")
      .range(1, 100'000);
  s.add("device_messages_per_minute", &S::device_messages_per_minute, 30,
        {"Messages of one device in a minute; more are answered 451.",
         "1 台の機器が 1 分間に渡せるメールの数。超えた分には 451 を返す。"})
      .unit("messages")
      .range(1, 10'000'000);
}

ConfigSection smtp_in() {
  using S = Config::SmtpIn;
  SectionBuilder<S> s("smtp_in", &Config::smtp_in,
                      {"The SMTP relay: where programs and devices hand in mail.",
                       "SMTP リレー。プログラムや機器からメールを受け取る。"});
  s.add("enabled", &S::enabled, false,
        {"Whether it listens. Without `[[smtp_in.listener]]` then at ports 587 and 2525 (STARTTLS) "
         "and 465 (TLS from the start) of all addresses.",
         "リレーを動かすか。`[[smtp_in.listener]]` がなければ、すべてのアドレスの 587 番、2525 番"
         "（STARTTLS）、465 番（最初から TLS）で待つ。"});
  s.add("hostname", &S::hostname, "",
        {"Name in the greeting, in Received and in a certificate of our own. Empty: "
         "`smtp_out.hello_name`. Mail that has been here before is known by it and by "
         "`smtp_out.own_names`.",
         "あいさつ、Received、自己署名証明書に使う名前。空なら `smtp_out.hello_name`。一度ここを通"
         "ったメールは、この名前と `smtp_out.own_names` で見分ける。"})
      .form(TextForm::host);
  s.add("bounces", &S::bounces, true,
        {"Whether a sender is told what became of a mail: a report (RFC 3464) goes to its MAIL "
         "FROM if that is of a domain of its account. A credential may do without.",
         "メールがどうなったかを差出人に知らせるか。MAIL FROM がアカウントのドメインなら、そこへ"
         "配送状況通知（RFC 3464）を送る。資格情報ごとに止められる。"});
  s.add("delay_notice_hours", &S::delay_notice_hours, 4,
        {"After how long a mail that could not be delivered yet is told of, once. 0: only whoever "
         "asks for it (NOTIFY=DELAY) is told, after 4 hours.",
         "まだ届けられないメールを、どれだけ経ったら 1 回知らせるか。0 なら求めた差出人"
         "（NOTIFY=DELAY）だけに、4 時間後に知らせる。"})
      .unit("hours")
      .range(0, 168);
  s.add("socket", &S::socket, "",
        {"A UNIX socket for `todoku sendmail`, also where `enabled` is false, e.g. "
         "`/run/todoku/submission.sock`, where it looks. Every user of this machine may connect; "
         "whoever does sends by the credential that has the user's uid. Empty: none.",
         "`todoku sendmail` 用の UNIX ソケット。`enabled` が false でも使える。例: "
         "`/run/todoku/submission.sock`（sendmail の既定の接続先）。どのユーザーも接続でき、"
         "その uid を持つ資格情報で送信する。空なら使わない。"})
      .form(TextForm::path);
  add_limits(s);
  add_account_limits(s);
  add_network_limits(s);
  add_device_limits(s);
  return std::move(s).build();
}

void add_volume(SectionBuilder<Config::SmtpInAnomaly>& s) {
  using S = Config::SmtpInAnomaly;
  s.add("volume_factor", &S::volume_factor, 10,
        {"Recipients in an hour, as a multiple of what the busiest hours of its days usually have, "
         "from which a credential is held. 0: never for that.",
         "資格情報を保留する 1 時間の宛先数。1 日で最も多い 1 時間のふだんの宛先数に対する倍率。0 "
         "は量では保留しない。"})
      .unit("times")
      .range(0, 10'000);
  s.add("volume_floor", &S::volume_floor, 1'000,
        {"So many recipients in an hour are never too many.",
         "1 時間にこの数までの宛先は、多すぎると見なさない。"})
      .unit("recipients")
      .range(1, 1'000'000'000);
  s.add("young_days", &S::young_days, 7,
        {"For so long after its first mail a credential counts as young: what it usually does is "
         "not known yet.",
         "最初のメールからこの日数の間は新しい資格情報として扱う（ふだんの量がまだ分からない）。"})
      .unit("days")
      .range(0, 365);
  s.add("young_volume_floor", &S::young_volume_floor, 100'000,
        {"The same as `volume_floor`, while it is young.", "新しい資格情報での `volume_floor`。"})
      .unit("recipients")
      .range(1, 1'000'000'000);
}

ConfigSection anomaly() {
  using S = Config::SmtpInAnomaly;
  SectionBuilder<S> s(
      "smtp_in.anomaly", &Config::smtp_in_anomaly,
      {"When a credential does what it never did, as one does that was stolen, it is held: new "
       "mail "
       "is answered 451, what was accepted stays until `todoku smtp-credential release`.",
       "盗まれた資格情報のように、ふだんと違う使われ方をした資格情報を保留する。新しいメールには "
       "451 "
       "を返し、受け取り済みのメールは `todoku smtp-credential release` まで送らずに残す。"});
  add_volume(s);
  s.add("new_network_recipients", &S::new_network_recipients, 1'000,
        {"Recipients of its first day from a client (an IPv4 address, or the /64 of an IPv6 "
         "address) that a credential never came from before, from which it is held; not while it "
         "is young. 0: never for that.",
         "その資格情報が初めて使われたクライアント（IPv4 アドレス、または IPv6 の "
         "/64）から、最初の 1 "
         "日にこの数の宛先に達すると保留する。新しい資格情報では見ない。0 は場所では保留しない。"})
      .unit("recipients")
      .range(0, 1'000'000'000);
  s.add("unknown_users_percent", &S::unknown_users_percent, 30,
        {"Share of recipients whom their receivers do not know, of those that ended in the last "
         "day or so, from which a credential is held. 0: never for that.",
         "受信側に「存在しない」と断られた宛先の割合（最近 1 日ほどに結果の出たものの中で）。達する"
         "と保留する。0 は宛先不明では保留しない。"})
      .unit("percent")
      .range(0, 100);
  s.add("unknown_users_min", &S::unknown_users_min, 100,
        {"Fewer of them than this are no share yet.",
         "宛先不明がこの数に満たない間は、割合を見ない。"})
      .unit("recipients")
      .range(1, 1'000'000);
  return std::move(s).build();
}

ConfigSection certificate() {
  using S = Config::SmtpInCertificate;
  SectionBuilder<S> s(
      "smtp_in.certificate", &Config::smtp_in_certificates,
      {"A certificate of the relay, shown to clients that ask for one of its names; the first to "
       "all others. Files that change are read again within a minute. Without any, the relay makes "
       "one that clients have no reason to trust.",
       "リレーの証明書。クライアントが求めた名前を含むものを示し、それ以外には最初のものを示す。"
       "ファイルが変わると 1 分以内に読み直す。1 つもなければ自己署名証明書を作る（クライアント"
       "には信頼されない）。"});
  s.add("certificate_file", &S::certificate_file, "",
        {"Certificate chain (PEM), the server's own first.",
         "証明書チェーン（PEM）。サーバー証明書が先頭。"})
      .form(TextForm::path)
      .required();
  s.add("private_key_file", &S::private_key_file, "",
        {"Private key (PEM), unencrypted.", "秘密鍵（PEM）。暗号化なし。"})
      .form(TextForm::path)
      .required();
  return std::move(s).build();
}

void add_who_may(SectionBuilder<Config::SmtpInListener>& s) {
  using S = Config::SmtpInListener;
  s.add("auth", &S::auth, "required",
        {"`required`: a client logs in with a credential (`todoku smtp-credential`). `networks`: "
         "for devices that cannot; whoever connects from `networks` hands in mail of `account`.",
         "`required` ではクライアントが資格情報（`todoku smtp-credential`）でログインする。"
         "`networks` はそれができない機器用で、`networks` から接続したものはすべて `account` "
         "のメールを渡せる。"})
      .choices({"required", "networks"});
  s.add("auth_in_clear", &S::auth_in_clear, false,
        {"Whether clients may log in without TLS: whoever sees the network then sees passwords.",
         "TLS なしのログインを許すか。許すと、通信を見られる者にパスワードが見える。"});
  s.add("networks", &S::networks, {},
        {"For `auth = \"networks\"`: where the devices are, e.g. `[\"192.168.10.0/24\"]`.",
         "`auth = \"networks\"` で、機器のあるネットワーク。例: `[\"192.168.10.0/24\"]`。"})
      .form(TextForm::network);
  s.add("account", &S::account, "",
        {"For `auth = \"networks\"`: the account whose mail it is.",
         "`auth = \"networks\"` で、メールの属するアカウント。"});
  s.add("from_domain", &S::from_domain, "",
        {"For `auth = \"networks\"`: the domain of From, which may also be one below it.",
         "`auth = \"networks\"` で、From に使えるドメイン。そのサブドメインも使える。"})
      .form(TextForm::domain);
}

void add_listener_limits(SectionBuilder<Config::SmtpInListener>& s) {
  using S = Config::SmtpInListener;
  s.add("connections_max", &S::connections_max, 0,
        {"Connections at once to this listener; more are answered 421. 0: no limit of its own.",
         "このリスナーの同時接続数の上限。超えた分には 421 を返す。0 は個別の上限なし。"})
      .unit("connections")
      .range(0, 1'000'000);
  s.add("messages_per_minute", &S::messages_per_minute, 0,
        {"Messages in a minute, of all that come to this listener; more are answered 451. 0: no "
         "limit of its own.",
         "このリスナーで 1 分間に受けるメールの数。超えた分には 451 を返す。0 は個別の上限なし。"})
      .unit("messages")
      .range(0, kPerMinuteMax);
  s.add("recipients_per_minute", &S::recipients_per_minute, 0,
        {"The same of recipients.", "同じく、宛先の数。"})
      .unit("recipients")
      .range(0, kPerMinuteMax);
  s.add("bytes_per_minute", &S::bytes_per_minute, 0,
        {"The same of bytes of messages.", "同じく、メールのバイト数。"})
      .unit("bytes")
      .range(0, kBytesPerMinuteMax);
}

ConfigSection listener() {
  using S = Config::SmtpInListener;
  SectionBuilder<S> s("smtp_in.listener", &Config::smtp_in_configured,
                      {"A place where the relay listens, instead of the usual ports.",
                       "リレーが待つ場所。書くと、既定のポートの代わりになる。"});
  s.add("address", &S::address, "",
        {"Where, e.g. `0.0.0.0:587` or `[::]:587`: all addresses of IPv4 or of IPv6.",
         "待つアドレス。例: `0.0.0.0:587`、`[::]:587`（IPv4 または IPv6 の全アドレス）。"})
      .form(TextForm::endpoint)
      .required();
  s.add("tls", &S::tls, "starttls",
        {"`starttls`: the client asks for TLS. `implicit`: TLS from the start. `none`: never.",
         "`starttls` ではクライアントの求めで TLS にする。`implicit` は最初から TLS、`none` は TLS "
         "なし。"})
      .choices({"starttls", "implicit", "none"});
  s.add("old_tls", &S::old_tls, false,
        {"For `auth = \"networks\"`: whether TLS 1.0 and 1.1 and weak ciphers will do.",
         "`auth = \"networks\"` で、TLS 1.0、1.1 と弱い暗号を許すか。"});
  add_who_may(s);
  s.add("proxy_protocol", &S::proxy_protocol, false,
        {"Whether `proxy_networks` are load balancers that say whose connection they pass on "
         "(PROXY protocol, versions 1 and 2). A connection from there without it is closed.",
         "`proxy_networks` のロードバランサーが PROXY プロトコル（バージョン 1、2）で接続元を伝え"
         "るか。そこから PROXY ヘッダーなしで来た接続は切る。"});
  s.add("proxy_networks", &S::proxy_networks, {},
        {"Where these load balancers are. Who connects from there can claim any address.",
         "ロードバランサーのあるネットワーク。ここから接続する者はどのアドレスでも名乗れる。"})
      .form(TextForm::network);
  add_listener_limits(s);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> relay_sections() {
  return {smtp_in(), anomaly(), certificate(), listener()};
}

}  // namespace todoku::config
