// SPDX-License-Identifier: Apache-2.0
#include "doctor/reason_words.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace todoku::doctor {
namespace {

// Around what it is about, which is read again where a sentence names another.
struct Words {
  std::string_view before;
  std::string_view after;
  std::string_view ja_before;
  std::string_view ja_after;
};

// One that is part of another comes after it.
constexpr std::array kWords{
    Words{"more than ", " terms that ask the DNS", "DNS を参照する指定が ", " 個を超えています"},
    Words{"more than ", " answers without a record", "レコードのない応答が ", " 回を超えました"},
    Words{"a prefix length is no number from 0 to ", "", "プレフィックス長は 0 から ",
          " までの数で指定してください"},
    Words{"", " has no SPF record", "", " に SPF レコードがありません"},
    Words{"", " has several SPF records", "", " に SPF レコードが複数あります"},
    Words{"p= is not a public key of kind ", "", "p= が次の種類の公開鍵ではありません: ", ""},
    Words{"", " is not a tag=value", "", " が「タグ=値」の形ではありません"},
    Words{"tag ", " occurs twice", "タグ ", " が 2 回指定されています"},
    Words{"tag ", " holds a control character", "タグ ", " に制御文字があります"},
    Words{"", " does not exist", "", " は存在しません"},
    Words{"", " is no domain name", "", " はドメイン名ではありません"},
    Words{"", " is an address literal", "", " は IP アドレスです"},
    Words{"", " is a single label", "", " にドットがありません"},
};

struct Clause {
  std::string_view en;
  std::string_view ja;
};
constexpr std::array kClauses{
    Clause{"is no known mechanism", "未知の指定です"},
    Clause{"holds no IPv4 address", "IPv4 アドレスではありません"},
    Clause{"holds no IPv6 address", "IPv6 アドレスではありません"},
    Clause{"has a prefix length that is no number", "プレフィックス長が数ではありません"},
    Clause{"needs an address", "アドレスが必要です"},
    Clause{"needs a domain", "ドメインが必要です"},
    Clause{"is followed by what does not belong there", "余分な文字が続いています"},
    Clause{"occurs twice", "2 回指定されています"},
    Clause{"v= is not DKIM1 or not the first tag", "v= が DKIM1 でないか、先頭にありません"},
    Clause{"k= names an unknown kind of key", "k= の鍵の種類が不明です"},
    Clause{"p= is missing", "p= がありません"},
    Clause{"p= is not base64", "p= が Base64 ではありません"},
};

std::string clause_in_japanese(std::string_view said) {
  for (const Clause& clause : kClauses) {
    if (said == clause.en) return std::string(clause.ja);
  }
  for (const Words& words : kWords) {
    if (said.size() < words.before.size() + words.after.size()) continue;
    if (!said.starts_with(words.before) || !said.ends_with(words.after)) continue;
    said.remove_prefix(words.before.size());
    said.remove_suffix(words.after.size());
    return fmt::format("{}{}{}", words.ja_before, said, words.ja_after);
  }
  return std::string(said);
}

}  // namespace

std::string reason_in_japanese(std::string_view said) {
  // "the record of example.jp: "ip4:192.0.2.256": holds no IPv4 address": what is said comes last.
  constexpr std::string_view kColon = ": ";
  const std::size_t colon = said.rfind(kColon);
  if (colon == said.npos) return clause_in_japanese(said);
  const std::string clause = clause_in_japanese(said.substr(colon + kColon.size()));
  std::string_view about = said.substr(0, colon);
  constexpr std::string_view kKeyRecord = "key record";
  if (about == kKeyRecord) return clause;
  constexpr std::string_view kRecordOf = "the record of ";
  if (!about.starts_with(kRecordOf)) return fmt::format("{}: {}", about, clause);
  about.remove_prefix(kRecordOf.size());
  const std::size_t end = std::min(about.find(kColon), about.size());
  return fmt::format("{} のレコード{}: {}", about.substr(0, end), about.substr(end), clause);
}

}  // namespace todoku::doctor
