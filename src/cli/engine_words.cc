// SPDX-License-Identifier: Apache-2.0
#include "cli/engine_words.h"

#include <optional>
#include <string>
#include <utility>

#include <CLI/Error.hpp>
#include <CLI/Validators.hpp>

#include "base/date_time.h"

namespace todoku::cli {

EngineWords::EngineWords(WordBook book) : book_(std::move(book)) {
  add_operating();
  add_cluster();
  add_backup();
  add_migrate();
}

void EngineWords::add_operating() {
  book_.speaks(
      book_.verb(book_.app, "status", {"What the engine does", "エンジンの状態を表示する"}),
      show_status);
  CLI::App* draining =
      book_.verb(book_.app, "drain",
                 {"Finish what is in flight, then stop", "処理中のものを終えてから停止する"});
  draining
      ->add_option("--wait", drain_seconds_,
                   book_.say({"Seconds to wait for the end", "停止を待つ秒数"}))
      ->check(CLI::Range(std::int64_t{0}, std::int64_t{86'400}));
  book_.speaks(draining,
               [this](Session& s) { return drain(s, std::chrono::seconds(drain_seconds_)); });
  CLI::App* health = book_.verb(
      book_.app, "healthcheck",
      {"Exit status 0 if the engine is ready", "エンジンが受け付け可能なら終了コード 0"});
  health->add_flag(
      "--live", live_,
      book_.say(
          {"Once it was ready: only whether its process lives, for what ends one that does not",
           "一度準備ができたら、プロセスが動いているかだけを調べる（止まっていれば終了させる仕組み"
           "向け）"}));
  book_.speaks(health, [this](Session& s) { return healthcheck(s, live_); });
  book_.speaks(book_.verb(book_.app, "version", {"Print the version", "バージョンを表示する"}),
               [](Session& session) {
                 session.out() << "todoku " << session.host().version() << '\n';
                 return 0;
               });
}

void EngineWords::add_cluster() {
  CLI::App* nodes = book_.verb(book_.app, "nodes",
                               {"The processes that work on the store, and what each holds",
                                "ストアを使っているプロセスと、それぞれが受け持つ量を表示する"});
  nodes->add_flag(
      "--utc", nodes_utc_,
      book_.say({"Times in UTC instead of Japan's", "時刻を日本時間ではなく UTC で表示する"}));
  book_.speaks(nodes, [this](Session& s) { return list_nodes(s, nodes_utc_); });
  CLI::App* group = book_.verb(
      book_.app, "cluster",
      {"The names under which a store is served", "ストアを使うクラスターの名前を管理する"});
  group->require_subcommand(1);
  CLI::App* adopt = book_.verb(group, "adopt",
                               {"Let this installation work on a store that had other names",
                                "別の名前で使われていたストアを、この設定で使えるようにする"});
  CLI::Option* send = adopt->add_flag(
      "--send-waiting", send_waiting_,
      book_.say({"What waits in it is sent", "送信待ちのものを、そのまま送信する"}));
  adopt
      ->add_flag("--cancel-waiting", cancel_waiting_,
                 book_.say({"What waits in it is cancelled", "送信待ちのものを、すべて取り消す"}))
      ->excludes(send);
  book_.speaks(adopt, [this](Session& s) {
    return adopt_cluster(s, send_waiting_     ? WhatWaits::sent
                            : cancel_waiting_ ? WhatWaits::cancelled
                                              : WhatWaits::unsaid);
  });
}

void EngineWords::add_backup() {
  CLI::App* backup = book_.verb(book_.app, "backup",
                                {"The store as one file, also while the engine runs",
                                 "ストアを 1 つのファイルに保存する（エンジンの動作中も可）"});
  backup
      ->add_option("--to", backup_to_,
                   book_.say({"The file, which must not be there yet",
                              "保存先のファイル（まだ存在しないもの）"}))
      ->required();
  book_.speaks(backup, [this](Session& s) { return back_up(s, backup_to_); });

  CLI::App* group = book_.verb(book_.app, "restore",
                               {"A store made of a backup, and what becomes of its mail",
                                "バックアップからストアを復元し、残りのメールの扱いを決める"});
  group->require_subcommand(0, 1);
  CLI::Option* from = group->add_option(
      "--from", restore_from_,
      book_.say({"The file, made by `todoku backup`, or the folder of `shipping.to`",
                 "`todoku backup` で作ったファイル、または `shipping.to` のフォルダー"}));
  group
      ->add_option("--at", restore_at_,
                   book_.say({"Of what was shipped: the last state by then, such as "
                              "2026-01-05T10:15:00+09:00; else the newest",
                              "送られた内容のうち、この日時の状態（例 2026-01-05T10:15:00+09:00）。"
                              "省略時は最新"}))
      ->check([](const std::string& text) {
        return parse_date_time(text) ? std::string() : text + " is no date and time";
      })
      ->needs(from);
  group
      ->add_flag("--replace", replace_,
                 book_.say({"Also where a store is, which is set aside",
                            "すでにストアがあれば別名で残し、置き換える"}))
      ->needs(from);
  book_.speaks(group, [this](Session& s) {
    return restore_from(s, {.from = restore_from_,
                            .at = restore_at_.empty() ? std::nullopt : parse_date_time(restore_at_),
                            .replace = replace_});
  });
  group->parse_complete_callback([this, group] {
    const bool verb = !group->get_subcommands().empty();
    if (!verb && restore_from_.empty()) throw CLI::RequiredError::Subcommand(1);
    if (verb && !restore_from_.empty()) {
      throw CLI::ExcludesError("--from", group->get_subcommands().front()->get_name());
    }
  });
  book_.speaks(book_.verb(group, "fold",
                          {"Fold what the journal knows into a restored store",
                           "ジャーナルの内容を、復元したストアに反映する"}),
               restore_fold);
  book_.speaks(
      book_.verb(group, "release",
                 {"After that: what still waits is sent", "反映後: まだ送信待ちのものを送信する"}),
      restore_release);
  CLI::App* end = book_.verb(
      group, "end",
      {"After that: what still waits is over", "反映後: まだ送信待ちのものを終了とする"});
  end->add_option("--as", end_as_,
                  book_.say({"As what: unknown (it may have been sent)",
                             "終了時の状態: unknown（送信済みかもしれない）"}))
      ->check(CLI::IsMember({"unknown"}))
      ->required();
  book_.speaks(end, restore_end);
}

void EngineWords::add_migrate() {
  CLI::App* group = book_.verb(book_.app, "migrate",
                               {"The tables of a store on PostgreSQL, made in steps",
                                "PostgreSQL 上のテーブルを段階的に作成、更新する"});
  group->require_subcommand(0, 1);
  CLI::Option* from = group->add_option(
      "--from", carry_from_,
      book_.say({"Carry a store over, of a stopped engine: sqlite:FOLDER, or its database file",
                 "停止中のエンジンのデータを移行する: "
                 "sqlite:フォルダー、またはデータベースのファイル"}));
  group
      ->add_option(
          "--to", carry_to_,
          book_.say({"Where to: postgres, as configured", "移行先: postgres（設定のもの）"}))
      ->check(CLI::IsMember({"postgres"}))
      ->needs(from);
  book_.speaks(group, [this](Session& s) { return migrate_from(s, carry_from_); });
  group->parse_complete_callback([this, group] {
    const bool verb = !group->get_subcommands().empty();
    if (!verb && carry_from_.empty()) throw CLI::RequiredError::Subcommand(1);
    if (verb && !carry_from_.empty()) {
      throw CLI::ExcludesError("--from", group->get_subcommands().front()->get_name());
    }
  });
  book_.speaks(book_.verb(group, "status",
                          {"Which steps there are, and which are taken",
                           "どの手順があり、どれが実行済みかを表示する"}),
               migrate_status);
  const auto takes = [&](CLI::App* verb, bool contract) {
    verb->add_option("--wait", migrate_seconds_,
                     book_.say({"Seconds to wait for others who hold what a step needs",
                                "手順に必要なロックを他者が持つとき、待つ秒数"}))
        ->check(CLI::Range(std::int64_t{1}, std::int64_t{86'400}));
    book_.speaks(verb, [this, contract](Session& s) {
      return migrate_up(s, contract, std::chrono::seconds(migrate_seconds_));
    });
  };
  takes(book_.verb(group, "up", {"Take those that are missing", "未実行の手順を実行する"}), false);
  takes(book_.verb(group, "contract",
                   {"Take away what only the version before needs, once none of it runs",
                    "前の版だけが使うものを取り除く（前の版が動いていないとき）"}),
        true);
}

}  // namespace todoku::cli
