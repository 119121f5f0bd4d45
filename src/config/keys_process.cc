// SPDX-License-Identifier: Apache-2.0
// Keys about the process: threads, files, secrets, logs, operating.
#include "config/table.h"

namespace todoku::config {
namespace {

ConfigSection engine() {
  using S = Config::Engine;
  SectionBuilder<S> s("engine", &Config::engine, {"How the process runs.", "プロセスの動かし方。"});
  s.add("threads", &S::threads, 0,
        {"Threads that serve connections. 0: one for each processor core.",
         "接続を処理するスレッド数。0 は CPU コアごとに 1 本。"})
      .range(0, 256);
  s.add("roles", &S::roles, {"api", "smtp-in", "scheduler", "courier", "inbound", "events"},
        {"What this process does: `api` takes requests, `smtp-in` is the SMTP relay, `scheduler` "
         "decides what is sent when, "
         "`courier` talks to the receivers, `inbound` takes the mail that comes back, `events` "
         "runs the imports and removes what was deleted. "
         "Any of them in any process where several work on one store: `store.kind` is `postgres` "
         "and `queue.kind` is `store` or `sqs`. Else mail is accepted and kept, not sent, without "
         "`scheduler` and `courier`. Imports wait until a process has `events`.",
         "このプロセスの役割。`api` は受け付け、`smtp-in` は SMTP リレー、`scheduler` "
         "は送る順番と時刻の決定、`courier` は受"
         "信側サーバーへの配送、`inbound` は戻ってくるメールの受け取り、`events` "
         "はインポートの実行と削除済みデータの片付け。`store.kind` "
         "が `postgres` で `queue.kind` が `store` か `sqs` "
         "なら、複数のプロセスに好きなように分けられる。そうでなければ、`scheduler` と `courier` "
         "がないとき、受け付けたメールは保存されるだけで送られない。インポートは `events` のプロセ"
         "スが動くまで始まらない。"})
      .choices({"api", "smtp-in", "scheduler", "courier", "inbound", "events"})
      .required();
  s.add("drain_seconds", &S::drain_seconds, 30,
        {"After SIGTERM: how long mails in flight may take to finish before they are handed back.",
         "SIGTERM を受けてから、送信中のメールが終わるのを待つ時間。過ぎたものは送信待ちに戻る。"})
      .unit("seconds")
      .range(1, 3600);
  return std::move(s).build();
}

ConfigSection cluster() {
  using S = Config::Cluster;
  SectionBuilder<S> s("cluster", &Config::cluster,
                      {"What all processes on one store are called together.",
                       "1 つのストアを使うプロセス全体の呼び名。"});
  s.add("name", &S::name, "",
        {"Its name, such as `production`. The store remembers it, and where its database and "
         "queues were; a process that comes with others accepts and sends nothing until `todoku "
         "cluster adopt`, so that a copy of production is not sent a second time.",
         "クラスターの名前（例 `production`）。ストアはこの名前と、データベースやキューの場所を覚え"
         "ている。異なる名前で起動したプロセスは `todoku cluster adopt` "
         "まで受け付けも送信もしないので、本番のコピーから二重に送ることがない。"});
  return std::move(s).build();
}

ConfigSection data() {
  using S = Config::Data;
  SectionBuilder<S> s("data", &Config::data, {"Where mail is kept.", "メールの保存場所。"});
  s.add("directory", &S::directory, "data",
        {"Folder of the store and of uploads. Made on the first start, readable by the engine's "
         "user only. One engine per folder.",
         "データベースとアップロードを置くフォルダー。初回起動時に作られ、エンジンのユーザーだけが"
         "読める。1 つのフォルダーを使えるエンジンは 1 つだけ。"})
      .form(TextForm::path)
      .required();
  return std::move(s).build();
}

ConfigSection secrets() {
  using S = Config::Secrets;
  SectionBuilder<S> s("secrets", &Config::secrets,
                      {"The master key, under which DKIM private keys are encrypted.",
                       "マスターキー。DKIM の秘密鍵はこれで暗号化して保存される。"});
  s.add(
       "master_key_file", &S::master_key_file, "master.key",
       {"File of the master key: base64 or hexadecimal of 32 octets, mode 0600, outside the data "
        "directory. Made on the first start. Keep a copy apart from the backups of the data.",
        "マスターキーのファイル。32 オクテットの base64 または 16 進、パーミッション 0600、データの"
        "フォルダーの外に置く。初回起動時に作られる。データのバックアップとは別の場所に控えておく"
        "こと。"})
      .form(TextForm::path)
      .required();
  s.add("master_key", &S::master_key, "",
        {"The master key itself instead of a file.",
         "ファイルの代わりに、マスターキーそのものを環境変数で渡す。"})
      .secret("TODOKU_MASTER_KEY");
  return std::move(s).build();
}

ConfigSection log() {
  using S = Config::Log;
  SectionBuilder<S> s("log", &Config::log,
                      {"Lines on standard error. Bodies, insert codes and secrets never appear.",
                       "標準エラーへのログ。本文、差し込み文字、秘密情報は決して出ない。"});
  s.add("level", &S::level, "info",
        {"The least important lines to write.", "書き出す最低の重要度。"})
      .choices({"debug", "info", "warning", "error"})
      .required();
  s.add("format", &S::format, "human",
        {"`human`: a line to read. `json`: one object a line, for log collectors.",
         "`human` は人が読む形、`json` は 1 行 1 オブジェクト（ログ収集向け）。"})
      .choices({"human", "json"})
      .required();
  return std::move(s).build();
}

ConfigSection admin() {
  using S = Config::Admin;
  SectionBuilder<S> s("admin", &Config::admin,
                      {"How the command-line tools reach a running engine.",
                       "コマンドラインツールから動作中のエンジンへの窓口。"});
  s.add("socket", &S::socket, "",
        {"Unix socket, mode 0600. Empty: `admin.sock` in the data directory.",
         "UNIX ソケット（パーミッション 0600）。空なら、データのフォルダーの `admin.sock`。"})
      .form(TextForm::path);
  return std::move(s).build();
}

ConfigSection metrics() {
  using S = Config::Metrics;
  SectionBuilder<S> s(
      "metrics", &Config::metrics,
      {"Prometheus metrics and health checks.", "Prometheus 形式の計測値とヘルスチェック。"});
  s.add("listen", &S::listen, "",
        {"Address of a listener of its own for `/metrics`, `/healthz` and `/readyz`. Empty: the "
         "API's listener answers them. Set it when the API can be reached from outside.",
         "`/metrics`、`/healthz`、`/readyz` 専用の待ち受けアドレス。空なら API と同じアドレスで答"
         "える。API を外部に公開するときは設定すること。"})
      .form(TextForm::endpoint);
  s.add(
      "emf", &S::emf, false,
      {"Whether a line of figures goes to standard output each minute for each role, which Amazon "
       "CloudWatch makes metrics of (Embedded Metric Format). Nothing else is written there.",
       "役割ごとに毎分 1 行の計測値を標準出力に書くかどうか。Amazon CloudWatch が計測値として読み取"
       "る形式（Embedded Metric Format）。標準出力にはほかに何も書かれない。"});
  s.add("emf_namespace", &S::emf_namespace, "todoku",
        {"The namespace of these metrics. Installations that share an account of AWS each need "
         "their own.",
         "その計測値の名前空間。同じ AWS アカウントを使う環境ごとに変えること。"})
      .form(TextForm::label)
      .required();
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> process_sections() {
  return {engine(), cluster(), data(), secrets(), log(), admin(), metrics()};
}

}  // namespace todoku::config
