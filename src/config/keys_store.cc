// SPDX-License-Identifier: Apache-2.0
// Keys about the store: which kind, where a PostgreSQL server is, and what is kept for how long.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection store() {
  using S = Config::Store;
  SectionBuilder<S> s("store", &Config::store,
                      {"What keeps accounts and mail.", "アカウントとメールの保存先。"});
  s.add(
       "kind", &S::kind, "sqlite",
       {"`sqlite`: a database in the data folder, nothing to set up. `postgres`: a PostgreSQL "
        "server, see `[store.postgres]`; the admin socket stays in the data folder.",
        "`sqlite` はデータのフォルダーのデータベース（準備不要）。`postgres` は PostgreSQL サーバー"
        "（`[store.postgres]` を参照）。管理用ソケットはデータのフォルダーに残る。"})
      .choices({"sqlite", "postgres"})
      .required();
  return std::move(s).build();
}

ConfigSection postgres() {
  using S = Config::Postgres;
  SectionBuilder<S> s(
      "store.postgres", &Config::postgres,
      {"PostgreSQL 15 or later, where `store.kind` is `postgres`. `todoku migrate up` makes and "
       "changes the tables; the engine never does.",
       "`store.kind` が `postgres` のときの PostgreSQL（15 以降）。テーブルの作成と変更は `todoku "
       "migrate up` で行い、エンジンが勝手に行うことはない。"});
  s.add("address", &S::address, "",
        {"Where the database is, as libpq takes it: `postgresql://todoku@db.example.jp/todoku`, or "
         "`host=db1.example.jp,db2.example.jp user=todoku dbname=todoku`. Of several hosts the one "
         "that takes writes is used. A password does not belong here.",
         "データベースの場所（libpq の書式）。`postgresql://todoku@db.example.jp/todoku` や "
         "`host=db1.example.jp,db2.example.jp user=todoku dbname=todoku`。複数のホストを書くと、書"
         "き込めるものを使う。パスワードはここには書かない。"});
  s.add("password_file", &S::password_file, "",
        {"File of the password, mode 0600, read anew for each connection: change it there and in "
         "the database, and nothing else is needed.",
         "パスワードのファイル（パーミッション 0600）。接続のたびに読み直すので、データベースとこの"
         "ファイルを変えるだけで切り替わる。"})
      .form(TextForm::path);
  s.add(
      "password_command", &S::password_command, "",
      {"Command of the shell that prints the password, run for each connection, at most 10 "
       "seconds: for tokens that live for minutes, as Amazon RDS has them.",
       "パスワードを出力するシェルのコマンド。接続のたびに実行する（10 秒まで）。Amazon RDS のよう"
       "に短命なトークンを使うときに。"});
  s.add("password", &S::password, "",
        {"The password itself instead of a file or a command.",
         "ファイルやコマンドの代わりに、パスワードそのものを環境変数で渡す。"})
      .secret("TODOKU_STORE__POSTGRES__PASSWORD");
  s.add("connect_seconds", &S::connect_seconds, 3,
        {"How long each host has to answer to a new connection.",
         "新しい接続に各ホストが応答するまで待つ時間。"})
      .unit("seconds")
      .range(1, 30);
  s.add("start_seconds", &S::start_seconds, 60,
        {"How long a start waits for a database that cannot be reached, before it ends with a "
         "failure.",
         "起動時にデータベースへ接続できないとき、あきらめて終了するまで待つ時間。"})
      .unit("seconds")
      .range(0, 3600);
  return std::move(s).build();
}

ConfigSection events() {
  using S = Config::Events;
  SectionBuilder<S> s("events", &Config::events,
                      {"What is kept of what became of mails, besides the mails: `GET /events`.",
                       "メールとは別に残す、配信の経過の記録（`GET /events`）。"});
  s.add("keep_days", &S::keep_days, 62,
        {"How long an event is kept. A reader that comes later is told that it has missed some, "
         "and goes on with the first that is kept.",
         "イベントを残す期間。それより遅れて読みに来た側には、読み損ねがあったことを伝え、残ってい"
         "る最初のイベントから続ける。"})
      .unit("days")
      .range(1, 3650);
  return std::move(s).build();
}

ConfigSection retention() {
  using S = Config::Retention;
  SectionBuilder<S> s(
      "retention", &Config::retention,
      {"When what is over is erased by itself (docs/personal-data.md). Counted from when a "
       "delivery's last mail is over; an account may have other times (`todoku account "
       "retention`). Done by the role `events`, each hour.",
       "終わったものを自動で消去するまでの期間（docs/"
       "personal-data.ja.md）。配信の最後のメールが終わ"
       "ってから数える。アカウントごとに変えられる（`todoku account retention`）。役割 `events` が "
       "1 "
       "時間ごとに行う。"});
  s.add("content_days", &S::content_days, 0,
        {"What was said: subject, text, HTML, attachments, relayed messages. Who got it and what "
         "became of it stays. 0: as long as the delivery.",
         "本文（件名、テキスト、HTML、添付、リレーしたメッセージ）を残す期間。宛先と結果は残る。0 "
         "なら"
         "配信が残る間ずっと。"})
      .unit("days")
      .range(0, 3650);
  s.add("story_days", &S::story_days, 0,
        {"Deliveries with their recipients and what became of them. 0: until they are deleted.",
         "配信と、その宛先や結果を残す期間。0 なら削除するまで。"})
      .unit("days")
      .range(0, 3650);
  s.add("audit_days", &S::audit_days, 400,
        {"Lines of the audit (`todoku audit list`). 0: without an end.",
         "閲覧の記録（`todoku audit list`）を残す期間。0 なら無期限。"})
      .unit("days")
      .range(0, 3650);
  s.add("report_days", &S::report_days, 400,
        {"What receivers report of domains (docs/domain-reports.md), by the days of the reports; "
         "older ones are not taken. 0: without an end.",
         "受信側から届くドメインのレポート（docs/domain-reports.ja.md）を残す期間。レポートの日付で"
         "数え、古いものは受け付けない。0 なら無期限。"})
      .unit("days")
      .range(0, 3650);
  return std::move(s).build();
}

ConfigSection journal() {
  using S = Config::Journal;
  SectionBuilder<S> s("journal", &Config::journal,
                      {"What must survive the restore of an older copy of the store, kept outside "
                       "of it.",
                       "古いバックアップからの復元に備えて、ストアの外に残す記録（ジャーナル）。"});
  s.add("directory", &S::directory, "",
        {"A folder for it alone: on another disk, another machine or in a mounted bucket, because "
         "what is lost with the store is of no use. Written by the role `events`: who got mail or "
         "never will, who opted out, what was stopped. Kept as long as `events.keep_days`. Empty: "
         "there is no journal.",
         "ジャーナル専用のフォルダー。ストアと一緒に失われないよう、別のディスク、別のマシン、また"
         "はマウントしたバケットに置く。書くのは役割 `events`: 配信の結果、配信停止の登録と解除、停"
         "止した配信など。`events.keep_days` の期間残す。空ならジャーナルを残さない。"});
  return std::move(s).build();
}

ConfigSection shipping() {
  using S = Config::Shipping;
  SectionBuilder<S> s(
      "shipping", &Config::shipping,
      {"A store in the data folder, shipped elsewhere as it changes: should the machine be lost, "
       "`todoku restore --from` brings back all but the last moment. Not for PostgreSQL, which has "
       "means of its own.",
       "データのフォルダーのストアを、変更のたびに別の場所へ送る。マシンが失われても、`todoku "
       "restore --from` で直前までの状態に戻せる。PostgreSQL では使わない（データベースの機能を使う"
       "）。"});
  s.add(
      "to", &S::to, "",
      {"A folder for it alone, on another disk or mounted from another machine. Empty: nothing is "
       "shipped.",
       "専用のフォルダー。別のディスクか、別のマシンからマウントしたもの。空なら送らない。"});
  s.add(
       "every_seconds", &S::every_seconds, 1,
       {"How often what was committed is shipped. So much may be lost with the machine, and the "
        "time that shipping takes.",
        "コミットした内容を送る間隔。マシンが失われたとき、この間隔と転送にかかる時間の分を失うこと"
        "がある。"})
      .unit("seconds")
      .range(1, 3600);
  s.add(
       "snapshot_hours", &S::snapshot_hours, 24,
       {"How often a whole copy is shipped besides; another one with each start. A restore begins "
        "with one, and takes longer the older it is. Needs the room of the store in the data "
        "folder meanwhile.",
        "全体のコピーを送る間隔（起動のたびにも送る）。復元はコピーから始まり、古いほど時間がかかる"
        "。送る間、データのフォルダーにストアと同じだけの空きが必要。"})
      .unit("hours")
      .range(1, 720);
  s.add("keep_days", &S::keep_days, 7,
        {"States of so long ago can be restored.", "何日前の状態まで復元できるようにするか。"})
      .unit("days")
      .range(1, 3650);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> store_sections() {
  return {store(), postgres(), events(), retention(), journal(), shipping()};
}

}  // namespace todoku::config
