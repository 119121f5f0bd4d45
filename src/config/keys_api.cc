// SPDX-License-Identifier: Apache-2.0
// Keys about the front door: the API's listener and the limits of its contract.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection api() {
  using S = Config::Api;
  SectionBuilder<S> s("api", &Config::api, {"The REST API.", "REST API。"});
  s.add("listen", &S::listen, "127.0.0.1:8025",
        {"Address and port. Port 0 takes a free one.",
         "待ち受けるアドレスとポート。ポート 0 は空きポートを使う。"})
      .form(TextForm::endpoint)
      .required();
  s.add("public_url", &S::public_url, "",
        {"How clients reach the API, for addresses in answers, e.g. `https://mail.example.jp`. "
         "Empty: made from the address at which a request came; its Host counts only where that "
         "is this machine's (localhost, a loopback address, the address at which it came). With "
         "https "
         "the HTML of mail gets an image below it, `/open/`, that tells of its opening, and "
         "advertisements a link to unsubscribe, `/unsubscribe/` (up to 87 characters); it is to "
         "be the same for all processes.",
         "クライアントから見た API の URL（応答に含まれる URL に使う）。例: "
         "`https://mail.example.jp`。空ならリクエストを受けたアドレスから作る。Host ヘッダーは"
         "この機械自身（localhost、ループバック、受けたアドレス）を指す場合だけ使う。https なら "
         "HTML "
         "メールにこの下の画像（`/open/`）を入れて開封を記録し、広告メールに配信停止リンク"
         "（`/unsubscribe/`、87文字まで）を付ける。全プロセスで同じにする。"})
      .form(TextForm::url);
  add_tls_keys(s);
  s.add(
       "connections_max", &S::connections_max, 10'000,
       {"Connections open at once; fewer if the system allows fewer open files. Beyond them the "
        "one "
        "that has been idle for longest is closed for a newcomer; if none is idle, the newcomer is "
        "answered 503, or waits until it can be.",
        "同時に開く接続の上限。開けるファイル数の上限が小さければ自動的に減る。超えると、最も長く"
        "アイドルな接続を閉じて新しい接続を受ける。アイドルな接続がなければ 503 を返す（返せるまで"
        "待たせることもある）。"})
      .unit("connections")
      .range(1, 1'000'000);
  s.add("connections_per_client_max", &S::connections_per_client_max, 64,
        {"Connections of one client (an IPv4 address, or the /64 of an IPv6 address); more are "
         "answered 503. 0: no limit.",
         "1 クライアント（IPv4 アドレス、または IPv6 の /64）からの同時接続数の上限。超えた分には "
         "503 を返す。0 は無制限。"})
      .unit("connections")
      .range(0, 1'000'000);
  s.add(
       "trusted_proxies", &S::trusted_proxies, {},
       {"Networks of load balancers and proxies, e.g. `[\"192.0.2.0/28\"]`. "
        "`connections_per_client_max` does not apply to them, and what they write into "
        "X-Forwarded-For tells where a request came from (of an API key that may be used only from "
        "some networks).",
        "ロードバランサーやプロキシーのネットワーク。例: `[\"192.0.2.0/28\"]`。"
        "`connections_per_client_max` の対象外になる。これらが X-Forwarded-For に書いたアドレスを"
        "リクエスト元とみなす（使えるネットワークを限定した API キーで使う）。"})
      .form(TextForm::network);
  s.add("rate_limit_per_minute", &S::rate_limit_per_minute, 500,
        {"Requests a minute and account, for each process that has the role `api`; more are "
         "answered 429. 0: no limit.",
         "アカウントごとの 1 分あたりのリクエスト数（役割 `api` のプロセスがそれぞれ数える）。"
         "超えると 429。0 は無制限。"})
      .unit("requests")
      .range(0, 100'000'000);
  s.add("provisioning_account", &S::provisioning_account, "",
        {"The account whose API keys with the scope `admin` manage accounts and keys over the API, "
         "from `provisioning_networks`: one of the operator's, not a customer's. Empty: nobody's.",
         "スコープ `admin` の API キーで、`provisioning_networks` からアカウントとキーを API で管理"
         "できるアカウント。利用者のものではなく、運用者のものにする。空なら誰も管理できない。"})
      .form(TextForm::plain);
  s.add("provisioning_networks", &S::provisioning_networks, {},
        {"From where accounts are managed over the API, e.g. `[\"192.0.2.8\"]`. Empty: from "
         "nowhere.",
         "アカウントを API で管理できるネットワーク。例: `[\"192.0.2.8\"]`。空ならどこからも"
         "できない。"})
      .form(TextForm::network);
  return std::move(s).build();
}

ConfigSection limits() {
  using S = Config::Limits;
  SectionBuilder<S> s("limits", &Config::limits,
                      {"What one account may ask for. The defaults are those of the API contract.",
                       "1 アカウントが要求できる量。既定値は API 仕様のもの。"});
  s.add("drafts_max", &S::drafts_max, 30,
        {"Bulk deliveries in status EDIT or IMPORTING at once.",
         "同時に EDIT または IMPORTING 状態にできる一斉配信の数。"})
      .unit("deliveries")
      .range(1, 1'000'000);
  s.add("to_max", &S::to_max, 50,
        {"Recipients in one update of a bulk delivery; larger lists are imported.",
         "一斉配信の更新 1 回で渡せる宛先の数。それ以上は CSV インポートを使う。"})
      .unit("recipients")
      .range(1, 10'000);
  s.add("cc_max", &S::cc_max, 10,
        {"Cc addresses of a transaction.", "トランザクションメールの Cc の数。"})
      .unit("recipients")
      .range(0, 100);
  s.add("bcc_max", &S::bcc_max, 10,
        {"Bcc addresses of a transaction.", "トランザクションメールの Bcc の数。"})
      .unit("recipients")
      .range(0, 100);
  s.add("insert_codes_max", &S::insert_codes_max, 50,
        {"Insert codes of one recipient.", "宛先 1 件あたりの差し込み文字の数。"})
      .unit("codes")
      .range(0, 1'000);
  s.add("insert_value_characters_max", &S::insert_value_characters_max, 70 * 1024,
        {"Length of the value of an insert code.", "差し込み文字の値の長さ。"})
      .unit("characters")
      .range(1, 1'000'000);
  s.add("subject_characters_max", &S::subject_characters_max, 256,
        {"Length of a subject.", "件名の長さ。"})
      .unit("characters")
      .range(1, 10'000);
  s.add("text_part_characters_max", &S::text_part_characters_max, 30 * 1024,
        {"Length of a text part.", "テキストパートの長さ。"})
      .unit("characters")
      .range(1, 100 * 1024 * 1024);
  s.add("html_part_characters_max", &S::html_part_characters_max, 70 * 1024,
        {"Length of an HTML part.", "HTML パートの長さ。"})
      .unit("characters")
      .range(1, 100 * 1024 * 1024);
  s.add("attachments_max", &S::attachments_max, 100,
        {"Attachments and inline parts of one delivery.",
         "1 配信あたりの添付ファイルとインラインパートの数。"})
      .unit("files")
      .range(0, 10'000);
  s.add("attachments_bytes_max", &S::attachments_bytes_max, 1024 * 1024,
        {"All attachments and inline parts of one delivery together.",
         "1 配信あたりの添付ファイルとインラインパートの合計の大きさ。"})
      .unit("bytes")
      .range(0, 100 * 1024 * 1024);
  s.add("message_bytes_max", &S::message_bytes_max, 10'240'000,
        {"Size of one recipient's whole mail, when the values of its insert codes are in it and "
         "all is encoded. The default is what Postfix takes unless it is told otherwise; few "
         "receivers take more than 25,000,000. Attachments grow by 37 % on their way.",
         "差し込み文字の値を入れてエンコードした、宛先 1 件のメール全体の大きさ。既定値は Postfix "
         "が既定で受け取る大きさ。25,000,000 を超えるメールを受け取る相手は少ない。添付ファイルは"
         "送信時に 37 % 大きくなる。"})
      .unit("bytes")
      .range(100'000, 1024.0 * 1024 * 1024);
  s.add("import_bytes_max", &S::import_bytes_max, 256 * 1024 * 1024,
        {"Size of a CSV file to import.", "インポートする CSV ファイルの大きさ。"})
      .unit("bytes")
      .range(1, 1024.0 * 1024 * 1024 * 1024);
  s.add(
       "stream_bytes_max", &S::stream_bytes_max, std::int64_t{2} * 1024 * 1024 * 1024,
       {"Size of a streamed list (`emails/stream`), expanded if it is compressed: what it takes of "
        "the disk until its import has ended.",
        "ストリームで送るリスト（`emails/stream`）の大きさ。圧縮されている場合は展開後。"
        "インポートが終わるまでディスクを使う。"})
      .unit("bytes")
      .range(1, 1024.0 * 1024 * 1024 * 1024);
  s.add("reservation_days_max", &S::reservation_days_max, 365,
        {"How far ahead a delivery may be reserved.", "どれだけ先の日時まで予約できるか。"})
      .unit("days")
      .range(1, 3650);
  return std::move(s).build();
}

ConfigSection intake() {
  using S = Config::Intake;
  SectionBuilder<S> s("intake", &Config::intake,
                      {"What is asked of mail at every door.", "受け付けるメールの条件。"});
  s.add("from_domains", &S::from_domains, "proven",
        {"`proven`: a From address must be of a domain that its account has proven (`todoku domain "
         "add`); while there is only one account, its mail from other domains is accepted, too, "
         "with a warning in the header X-Todoku-Warning. `any`: without the warning; with several "
         "accounts the API does not start.",
         "`proven`: 差出人（From）は、アカウントが所有を確認したドメイン（`todoku domain add`）の"
         "アドレスに限る。アカウントが 1 つだけの間は、ほかのドメインからも受け付け、応答ヘッダー "
         "X-Todoku-Warning で警告する。`any`: 警告もしない。アカウントが複数あると API "
         "は起動しない。"})
      .choices({"proven", "any"});
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> api_sections() {
  return {api(), limits(), intake()};
}

}  // namespace todoku::config
