// SPDX-License-Identifier: Apache-2.0
// Keys about the SMTP relay.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection smtp_in() {
  using S = Config::SmtpIn;
  SectionBuilder<S> s(
      "smtp_in", &Config::smtp_in,
      {"The SMTP relay: mail of programs that log in by a credential (`todoku smtp-credential`). "
       "It "
       "listens where `[[smtp_in.listener]]` says; without one it takes nothing.",
       "SMTP リレー。認証情報（`todoku smtp-credential`）でログインしたプログラムからメールを受け付"
       "ける。`[[smtp_in.listener]]` で指定した所で待ち受け、指定がなければ何も受け付けない。"});
  s.add("hostname", &S::hostname, "",
        {"The name in the greeting and in Received. Empty: `smtp_out.hello_name`.",
         "挨拶と Received に書く名前。空なら `smtp_out.hello_name`。"})
      .form(TextForm::host);
  s.add("certificate_file", &S::certificate_file, "",
        {"Certificate chain (PEM) for TLS, read again when it changes. Empty: a self-signed one is "
         "made at each start, which clients that verify refuse.",
         "TLS の証明書チェーン（PEM）。変わると読み直す。空なら起動のたびに自己署名の証明書を作る"
         "（検証するクライアントは拒否する）。"})
      .form(TextForm::path);
  s.add("private_key_file", &S::private_key_file, "",
        {"Its private key (PEM).", "その秘密鍵（PEM）。"})
      .form(TextForm::path);
  s.add("message_bytes_max", &S::message_bytes_max, 50'000'000,
        {"Largest message that is taken.", "受け付けるメッセージの最大サイズ。"})
      .unit("bytes")
      .range(1'000, 500'000'000);
  s.add("recipients_max", &S::recipients_max, 1'000,
        {"Recipients of one message; more are to come in another one.",
         "1 通の宛先の最大数。超えた分は別の 1 通で送る。"})
      .range(100, 100'000);
  s.add("connections_max", &S::connections_max, 10'000,
        {"Connections at once.", "同時接続の最大数。"})
      .range(1, 100'000);
  s.add("connections_per_network_max", &S::connections_per_network_max, 200,
        {"Connections at once from one IPv4 address or the /64 of an IPv6 one. 0: no limit.",
         "1 つの IPv4 アドレス、または IPv6 の /64 ごとの同時接続の最大数。0 は無制限。"})
      .range(0, 100'000);
  s.add("messages_per_minute_of_network", &S::messages_per_minute_of_network, 0,
        {"Messages a minute from one such network. 0: no limit.",
         "そのようなネットワークごとの、1 分あたりの最大通数。0 は無制限。"})
      .range(0, 10'000'000);
  s.add("idle_seconds", &S::idle_seconds, 300,
        {"Silence after which a connection is ended.", "この間何も送られない接続は終わらせる。"})
      .unit("seconds")
      .range(10, 3'600);
  return std::move(s).build();
}

ConfigSection listener() {
  using S = Config::SmtpInListener;
  SectionBuilder<S> s("smtp_in.listener", &Config::smtp_in_listeners,
                      {"Where the relay listens, e.g. 587 and 2525 with `starttls`, 465 with "
                       "`implicit`.",
                       "リレーが待ち受ける所。例: 587 と 2525 は `starttls`、465 は `implicit`。"});
  s.add("listen", &S::listen, "", {"Address and port.", "アドレスとポート。"})
      .form(TextForm::endpoint)
      .required();
  s.add("tls", &S::tls, "starttls",
        {"`starttls`: TLS before anything else is said; `implicit`: TLS from the first octet; "
         "`none`: no TLS.",
         "`starttls`: まず TLS にする。`implicit`: 最初から TLS。`none`: TLS なし。"})
      .choices({"starttls", "implicit", "none"});
  s.add("auth_in_clear", &S::auth_in_clear, false,
        {"Passwords are taken without TLS, where everybody on the way can read them.",
         "TLS なしでパスワードを受け付ける。途中の誰にでも読める。"});
  s.add("proxy_networks", &S::proxy_networks, {},
        {"Proxies and balancers that say whom they speak for (PROXY protocol v1 or v2). With any, "
         "every connection has to come by one of them.",
         "どのクライアントの接続かを伝える（PROXY プロトコル v1・v2）プロキシーやバランサー。指定す"
         "ると、すべての接続はここを通らなければならない。"})
      .form(TextForm::network);
  s.add("device_networks", &S::device_networks, {},
        {"For scanners and other devices that cannot log in: who comes from these networks is "
         "`device_credential`, and nobody logs in here.",
         "ログインできないスキャナーなどの機器向け。ここから来た者は `device_credential` とみなし、"
         "この待ち受けでは誰もログインしない。"})
      .form(TextForm::network);
  s.add("device_credential", &S::device_credential, "",
        {"The user name of a credential (`todoku smtp-credential`).",
         "認証情報（`todoku smtp-credential`）のユーザー名。"});
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> smtp_in_sections() {
  return {smtp_in(), listener()};
}

}  // namespace todoku::config
