// SPDX-License-Identifier: Apache-2.0
#include "cli/failure_words.h"

#include <array>

#include <fmt/format.h>

#include "base/phrase_book.h"
#include "doctor/reason_words.h"
#include "mail/address_words.h"

namespace todoku::cli {
namespace {

constexpr std::array kFailures{
    // -- files and options
    Phrase{"No such file or directory", "ファイルがありません"},
    Phrase{"Permission denied", "アクセスが許可されていません"},
    Phrase{"Is a directory", "ディレクトリです"},
    Phrase{"> {} MiB", "{0} MiB を超えています"},
    Phrase{"> {} bytes", "{0} バイトを超えています"},
    Phrase{"{} is no address:port", "{0} は「アドレス:ポート」の形ではありません"},
    Phrase{"{} has no valid port", "{0} のポート番号が不正です"},
    Phrase{"{} servers are too many: at most {}", "サーバーが {0} 台あります。{1} 台までです"},
    Phrase{"--reports: {} has no domain", "--reports: {0} にドメインがありません"},
    // -- accounts and domains
    Phrase{"there is no account {}", "アカウント {0} がありません"},
    Phrase{"there is no such account", "アカウントがありません"},
    Phrase{"the account has no domain {}", "アカウントにドメイン {0} がありません"},
    Phrase{"the account has the domain {} already", "ドメイン {0} は登録済みです"},
    Phrase{"the account has not proven this domain",
           "アカウントはこのドメインの所有を確認していません"},
    Phrase{"an account has at most {} domains", "ドメインはアカウントごとに {0} 件までです"},
    Phrase{"a domain is shared with at most {} accounts",
           "ドメインを共有できるのは {0} アカウントまでです"},
    Phrase{"an account needs no consent of its own", "自分自身のアカウントへの同意は不要です"},
    Phrase{"asking the DNS takes an engine that runs: start it, it looks by itself",
           "DNS の確認にはエンジンの起動が必要です。起動すれば自動で確認します"},
    Phrase{"{} is not a domain", "{0} はドメインではありません"},
    Phrase{"the domain is too long for the name of its proof, {}",
           "所有を確認するための名前 {0} を付けると、ドメインが長すぎます"},
    Phrase{"{} is a public suffix: domains of others are below it. Claim the domain that was "
           "registered, such as example.{}",
           "{0} は公開サフィックスで、下位には他者のドメインもあります。example.{1} "
           "のような、取得したドメインを指定してください"},
    // -- DKIM keys
    Phrase{"account {} has no DKIM key {} of {}",
           "アカウント {0} に {2} の DKIM 鍵 {1} がありません"},
    Phrase{"account {} has a DKIM key {} of {} already: choose another --selector",
           "アカウント {0} には {2} の DKIM 鍵 {1} が既にあります。別の --selector を指定してくださ"
           "い"},
    Phrase{"the selector {} is one of those whose keys rotate by themselves: choose another "
           "--selector",
           "セレクター {0} は、自動で入れ替わる鍵のものです。別の --selector を指定してください"},
    Phrase{
        "the key {} of {} goes by itself: `todoku domain rotate {}` changes it, `todoku domain "
        "setup {} --by txt` gives it up",
        "{1} の鍵 {0} は自動で入れ替わります。すぐに入れ替えるには `todoku domain rotate "
        "{2}`、自動の入れ替えをやめるには `todoku domain setup {3} --by txt` を実行してください"},
    Phrase{"{} has had {} keys of today already: choose a --selector",
           "{0} では今日既に {1} 個の鍵を作っています。--selector を指定してください"},
    Phrase{"the algorithm is {}, but must be rsa or ed25519",
           "アルゴリズムは {0} ではなく rsa か ed25519 にしてください"},
    Phrase{"no DKIM keys of {} wait to be published",
           "{0} に、公開を待っている DKIM 鍵はありません"},
    Phrase{"the DKIM keys of {} do not rotate by themselves: todoku domain setup {} --by cname",
           "{0} の DKIM 鍵は自動で入れ替わるものではありません。切り替えるには todoku domain setup "
           "{1} --by cname を実行してください"},
    Phrase{"the keys of {} were changed at this moment: try again",
           "{0} の鍵が同時に変更されました。もう一度実行してください"},
    Phrase{"dkim.platform_zone is not configured: there is no zone for CNAMEs to lead into",
           "dkim.platform_zone が設定されておらず、CNAME の参照先のゾーンがありません"},
    Phrase{
        "its CNAMEs lead into {}, not into {}: end that first, by `todoku domain setup --by txt`",
        "CNAME の参照先が {1} ではなく {0} です。先に `todoku domain setup --by txt` で終了して"
        "ください"},
    Phrase{"the keys of {} in the platform's zone are being given up",
           "プラットフォームのゾーンにある {0} の鍵は、終了処理中です"},
    Phrase{"{} has {} octets, but a name in the DNS has {} at most: the domain or "
           "dkim.platform_zone is too long",
           "{0} が {1} バイトあります。DNS の名前は {2} バイトまでです。ドメインか "
           "dkim.platform_zone が長すぎます"},
};

}  // namespace

std::string failure_in_japanese(std::string_view said) {
  if (const auto known = in_japanese_by(kFailures, said)) return *known;
  // "DOMAIN: has an invalid domain"
  constexpr std::string_view kColon = ": ";
  const std::size_t colon = said.rfind(kColon);
  if (colon != said.npos) {
    const std::string clause = address_clause_in_japanese(said.substr(colon + kColon.size()));
    if (!clause.empty()) return fmt::format("{}: {}", said.substr(0, colon), clause);
  }
  return doctor::reason_in_japanese(said);
}

}  // namespace todoku::cli
