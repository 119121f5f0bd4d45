// SPDX-License-Identifier: Apache-2.0
// todoku lanes
#include <string>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "explain/pace_words.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

namespace {

// "12.5", "0.2", "-" for none.
std::string pace_text(const boost::json::value& lane, std::string_view name) {
  const auto* const object = lane.if_object();
  const auto* const pace = object == nullptr ? nullptr : object->if_contains(name);
  if (pace == nullptr || !pace->is_number()) return "-";
  const auto number = pace->to_number<double>();
  return number < 10 ? fmt::format("{:.1f}", number) : fmt::format("{:.0f}", number);
}

std::string reason_text(const Session& session, const boost::json::value& lane) {
  std::string words = text_of(lane, "reason");  // of a newer engine: its name
  if (const auto known = explain::pace_words(words)) words = session.words(*known);
  const std::string eases = time_of(lane, "eases_at");
  const std::string rests = time_of(lane, "rests_until");
  if (!eases.empty()) {
    words += session.words({", until {0}", "（{0} まで）"}, eases);
  } else if (!rests.empty()) {
    words =
        session.words({"left alone after failures, until {0}", "失敗のため {0} まで休止中"}, rests);
  }
  return words;
}

}  // namespace

int list_lanes(Session& session, const LanesWish& wish) {
  operate::Given given = operate::Given(calls::kLanes).with("limit", wish.limit);
  if (!wish.site.empty()) given.with("site", wish.site);
  if (!wish.source.empty()) given.with("source", wish.source);
  if (wish.all) given.with("all", true);
  if (wish.utc) given.with("utc_offset_minutes", std::int64_t{0});
  return session.call(given, [&](const boost::json::value& answer) {
    const auto& lanes = list_of(answer, "lanes");
    if (lanes.empty()) {
      return session.say({"No lane is at work.", "動いているレーンはありません。"});
    }
    std::vector<std::vector<std::string>> rows = {
        {session.words({"SITE", "サイト"}), session.words({"SOURCE", "送信元"}),
         session.words({"WAITING", "待ち"}), session.words({"CONNECTIONS", "接続"}),
         session.words({"PER SECOND", "毎秒"}), session.words({"AT MOST", "上限"}),
         session.words({"WHY", "理由"})}};
    for (const auto& lane : lanes) {
      rows.push_back(
          {text_of(lane, "site"), text_of(lane, "source"),
           fmt::format("{}", number_of(lane, "waiting")),
           fmt::format("{}/{}", number_of(lane, "connections"), number_of(lane, "connections_max")),
           pace_text(lane, "messages_per_second"), pace_text(lane, "messages_per_second_max"),
           reason_text(session, lane)});
    }
    print_table(session.out(), std::move(rows));
  });
}

}  // namespace todoku::cli
