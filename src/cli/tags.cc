// SPDX-License-Identifier: Apache-2.0
// todoku tags
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "cli/api_session.h"
#include "cli/sender_commands.h"

namespace todoku::cli {
namespace {

std::vector<std::string> tag_row(std::string name, const boost::json::value& counts) {
  std::vector<std::string> row{std::move(name)};
  for (const std::string_view member :
       {"answered", "delivered", "hard_bounces", "unknown_users", "complaints"}) {
    row.push_back(fmt::format("{}", number_of(counts, member)));
  }
  return row;
}

void print_tags(Session& session, const boost::json::value& answer) {
  std::vector<std::vector<std::string>> rows = {
      {session.words({"TAG", "タグ"}), session.words({"ANSWERED", "応答"}),
       session.words({"DELIVERED", "配信完了"}), session.words({"HARD BOUNCES", "ハードバウンス"}),
       session.words({"UNKNOWN USERS", "宛先不明"}), session.words({"COMPLAINTS", "苦情"})}};
  for (const auto& line : list_of(answer, "data")) {
    rows.push_back(tag_row(text_of(line, "tag"), line));
  }
  const auto* const object = answer.if_object();
  const auto* const others = object == nullptr ? nullptr : object->if_contains("others");
  if (others != nullptr && others->is_object()) {
    rows.push_back(tag_row(session.words({"(others)", "（その他）"}), *others));
  }
  if (rows.size() == 1) {
    session.say({"No mail with a tag was answered since {}.",
                 "{} 以降、タグの付いたメールへの応答はありません。"},
                text_of(answer, "from"));
    return;
  }
  print_table(session.out(), std::move(rows));
}

}  // namespace

int show_tags(Session& session, std::int64_t days) {
  ApiSession api(session);
  return api.call({.target = fmt::format("/tags?days={}", days), .answered_with = "data"},
                  [&](const ReadAnswer& read) { print_tags(session, read.value); });
}

}  // namespace todoku::cli
