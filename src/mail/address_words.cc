// SPDX-License-Identifier: Apache-2.0
#include "mail/address_words.h"

#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace todoku {
namespace {

using Clause = std::pair<std::string_view, std::string_view>;
constexpr std::array kClauses = {
    Clause{"begins with mailto:, write the address alone",
           "mailto: があります。アドレスだけを書いてください"},
    Clause{"has < and > around the address, write the address alone",
           "アドレスが < と > で囲まれています。アドレスだけを書いてください"},
    Clause{"has more than one address, write one",
           "アドレスが2つ以上あります。1つだけ書いてください"},
    Clause{"has more than one @", "@が2つ以上あります"},
    Clause{"has two dots in a row after the @, or one at once",
           "@の後にドットが続いているか、先頭にドットがあります"},
    Clause{"is an error value of a spreadsheet", "表計算ソフトのエラー値です"},
    Clause{"begins with the apostrophe by which spreadsheets mark text, take it off",
           "先頭に、表計算ソフトが文字列に付けるアポストロフィがあります。取り除いてください"},
    Clause{"has a control character", "制御文字があります"},
    Clause{"has a domain longer than 253 octets", "ドメインが253バイトを超えています"},
    Clause{"has a domain without a dot", "ドメインにドットがありません"},
    Clause{"has a fullwidth @ (U+FF20) for the @", "@が全角 (U+FF20) です"},
    Clause{"has a stray quotation mark", "引用符の位置が不正です"},
    Clause{"has a domain whose last part is a number, as of an IP address; mail is sent to domain "
           "names only",
           "ドメインの最後の部分が数字です。IPアドレス宛てには送信できません"},
    Clause{"has an IP address for a domain, and mail is sent to domain names only",
           "ドメインがIPアドレスです。IPアドレス宛てには送信できません"},
    Clause{"has an encoded-word (=?...?=) before the @", "@の前に「=?...?=」を使用できません"},
    Clause{"has an invalid domain", "ドメインが不正です"},
    Clause{"has an invalid internationalised domain", "国際化ドメイン名が不正です"},
    Clause{"has an unfinished quoted local part", "引用符が閉じられていません"},
    Clause{"has more than 64 octets before the @", "@の前が64バイトを超えています"},
    Clause{"has no @", "@がありません"},
    Clause{"has no domain", "ドメインがありません"},
    Clause{"has nothing before the @", "@の前に何もありません"},
    Clause{"has the beginning of an encoded-word (=?) before the @",
           "@の前に「=?」を使用できません"},
    Clause{"is empty", "空です"},
    Clause{"is longer than 254 octets", "254バイトを超えています"},
    Clause{"is longer than 254 octets as mail servers write it",
           "メールサーバーでの表記が254バイトを超えています"},
    Clause{"is not UTF-8", "UTF-8として不正です"},
};

// "has the invisible character U+200B", with or without " at character 5".
std::string invisible_in_japanese(std::string_view rest) {
  constexpr std::string_view kAt = " at character ";
  const std::size_t at = rest.find(kAt);
  if (at == std::string_view::npos) return fmt::format("見えない文字{}があります", rest);
  return fmt::format("{}文字目に見えない文字{}があります", rest.substr(at + kAt.size()),
                     rest.substr(0, at));
}

// "has a space, which an address cannot hold": what stands between; nullopt if it is not that.
std::optional<std::string_view> cannot_be_held(std::string_view clause) {
  constexpr std::string_view kHas = "has ";
  constexpr std::string_view kCannot = ", which an address cannot hold";
  if (!clause.starts_with(kHas) || !clause.ends_with(kCannot)) return std::nullopt;
  clause.remove_prefix(kHas.size());
  clause.remove_suffix(kCannot.size());
  return clause;
}

std::string character_in_japanese(std::string_view name) {
  if (name == "a space") return "空白は使用できません";
  if (name == "a quotation mark") return "引用符は使用できません";
  return fmt::format("{}は使用できません", name);
}

}  // namespace

std::string address_clause_in_japanese(std::string_view clause) {
  constexpr std::string_view kInvisible = "has the invisible character ";
  if (clause.starts_with(kInvisible)) {
    return invisible_in_japanese(clause.substr(kInvisible.size()));
  }
  if (const auto name = cannot_be_held(clause)) return character_in_japanese(*name);
  for (const auto& [english, japanese] : kClauses) {
    if (clause == english) return std::string(japanese);
  }
  return {};
}

}  // namespace todoku
