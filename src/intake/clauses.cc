// SPDX-License-Identifier: Apache-2.0
// What is said of an address or a URI in English, in Japanese: mime/uri.h knows no languages.
#include <array>
#include <utility>

#include "intake/problem.h"
#include "mail/address_words.h"

namespace todoku::intake::texts {
namespace {

using Clause = std::pair<std::string_view, std::string_view>;
constexpr std::array kClauses = {
    Clause{"has an impossible host", "ホスト名が不正です"},
    Clause{"has no address", "アドレスがありません"},
    Clause{"has no host", "ホスト名がありません"},
    Clause{"is no mailto:, http: or https: URI", "mailto:、http:、https:のURIではありません"},
};

}  // namespace

std::string in_japanese(std::string_view clause) {
  if (clause.contains(" bytes when it is percent-encoded")) {
    return "パーセントエンコードすると長すぎます";
  }
  for (const auto& [english, japanese] : kClauses) {
    if (clause == english) return std::string(japanese);
  }
  return address_clause_in_japanese(clause);
}

}  // namespace todoku::intake::texts
