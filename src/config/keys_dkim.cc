// SPDX-License-Identifier: Apache-2.0
// Keys about DKIM keys that rotate by themselves.
#include "config/table.h"

namespace todoku::config {
namespace {

void add_zone_keys(SectionBuilder<Config::Dkim>& s) {
  using S = Config::Dkim;
  s.add("platform_zone", &S::platform_zone, "",
        {"A zone of yours, such as `dkim.mail.example.jp`, that domains lead their DKIM selectors "
         "into by CNAME (`todoku domain setup --by cname`), so that their keys rotate by "
         "themselves. Empty: none.",
         "ドメインの DKIM セレクターを CNAME で参照させるゾーン（例 "
         "`dkim.mail.example.jp`）。`todoku domain setup --by cname` で使い、鍵が自動で入れ替わる。"
         "空なら使わない。"})
      .form(TextForm::domain);
  s.add("zone_file", &S::zone_file, "",
        {"File that the zone is written to, as a whole and at once, with each change. Empty: none.",
         "ゾーンを書き出すファイル。変更のたびに全体を置き換える。空なら書き出さない。"})
      .form(TextForm::path);
  s.add("name_servers", &S::name_servers, {},
        {"Names of the zone's name servers, for its NS records in the file; the first is that of "
         "its SOA record.",
         "ゾーンの DNS サーバーの名前。ファイルの NS レコードになり、先頭は SOA レコードにも書かれ"
         "る。"})
      .form(TextForm::domain);
  s.add("hook", &S::hook, {},
        {"Program with its arguments, run without a shell after each change: on its standard input "
         "it gets the changes as lines for `nsupdate` or `knsupdate`. One that fails is run again "
         "until it does not; it must bear being told the same twice. Empty: none.",
         "変更のたびに実行するプログラムと引数（シェルは使わない）。標準入力に、変更が `nsupdate` "
         "や `knsupdate` 用の行として渡される。失敗すると成功するまで繰り返すため、同じ変更を 2 "
         "回受け取っても問題のないものにすること。空なら実行しない。"});
  s.add("hook_seconds", &S::hook_seconds, 20,
        {"How long the hook may take before it is killed.",
         "フックの制限時間。過ぎると強制終了する。"})
      .unit("seconds")
      .range(1, 300);
}

ConfigSection dkim() {
  using S = Config::Dkim;
  SectionBuilder<S> s(
      "dkim", &Config::dkim,
      {"DKIM keys that rotate by themselves, in a zone of the platform (role "
       "`events`).",
       "プラットフォームのゾーンで自動的に入れ替わる DKIM 鍵（ロール `events`）。"});
  add_zone_keys(s);
  s.add("rotate_days", &S::rotate_days, 90,
        {"From when keys begin to sign to when the next ones are made; 0: only by `todoku domain "
         "rotate`. Old keys stay 7 days and longer, so a change takes more than a week.",
         "鍵が署名を始めてから次の鍵を作るまでの日数。0 なら `todoku domain rotate` "
         "でだけ入れ替える。古い鍵は 7 日以上残すため、1 回の入れ替えには 1 週間以上かかる。"})
      .unit("days")
      .range(0, 3'650);
  s.add("record_ttl_seconds", &S::record_ttl_seconds, 3'600,
        {"TTL of the zone's records. New keys sign so long after each name server has them: what "
         "resolvers remember is over by then.",
         "ゾーンのレコードの TTL。新しい鍵は、すべての DNS サーバーで公開されてからこの時間が過ぎ"
         "るまで署名に使わない（リゾルバーのキャッシュが切れるのを待つ）。"})
      .unit("seconds")
      .range(1, 86'400);
  return std::move(s).build();
}

}  // namespace

std::vector<ConfigSection> dkim_sections() {
  return {dkim()};
}

}  // namespace todoku::config
