// SPDX-License-Identifier: Apache-2.0
// Keys about the console, where people sign in by a browser (docs/console.md).
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection console() {
  using S = Config::Console;
  SectionBuilder<S> s("console", &Config::console,
                      {"The console, where people sign in by a browser. Opened by processes with "
                       "the role `api`.",
                       "ブラウザーでサインインする管理画面。役割 `api` のプロセスが開く。"});
  s.add("listen", &S::listen, "",
        {"Address and port of its own, e.g. `127.0.0.1:2580`. Empty: there is no console. Other "
         "than on the loopback it needs a `public_url` of https.",
         "管理画面専用のアドレスとポート。例: `127.0.0.1:2580`。空なら管理画面は開かない。"
         "ループバック以外で使うには https の `public_url` が必要。"})
      .form(TextForm::endpoint);
  s.add(
       "public_url", &S::public_url, "",
       {"Where people reach it, and nowhere else, e.g. `https://console.example.jp`: requests "
        "for another name are refused, and links in mails lead there. Empty: `localhost` or an "
        "address of the loopback, by any port.",
        "利用者が接続する URL。例: `https://console.example.jp`。ほかの名前へのリクエストは拒否し、"
        "メールのリンクにもこの URL を使う。空なら `localhost` またはループバックのアドレス"
        "（ポートは問わない）。"})
      .form(TextForm::url);
  add_tls_keys(s);
  s.add("connections_max", &S::connections_max, 128,
        {"Connections open at once; each open page has one for what it is told as it happens.",
         "同時に開く接続の上限。開いているページは、通知を受けるために 1 つずつ使う。"})
      .unit("connections")
      .range(8, 10'000);
  s.add(
       "mail_account", &S::mail_account, "",
       {"The account whose mail invitations and resets are: one of the installation's own that "
        "nobody else uses, without API keys, so that no tenant can look into them. Empty: such "
        "links are not mailed, and `todoku people` makes them.",
        "招待とパスワード再設定のメールを送るアカウント。テナントに見えないよう、API キーを持たない"
        "専用のものにする。空ならメールは送らず、`todoku people` でリンクを作る。"})
      .form(TextForm::plain);
  s.add("mail_from", &S::mail_from, "",
        {"Their From address, of a domain that this account has proven.",
         "そのメールの差出人アドレス。そのアカウントが所有を確認したドメインのもの。"})
      .form(TextForm::plain);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> console_sections() {
  return {console()};
}

}  // namespace todoku::config
