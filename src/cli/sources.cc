// SPDX-License-Identifier: Apache-2.0
// todoku sources
#include <string>
#include <utility>
#include <vector>

#include <boost/json/value.hpp>
#include <fmt/format.h>

#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

namespace {

Sentence warm_up_words(std::string_view state) {
  if (state == "no_plan") return {"no plan: it sends as it likes", "計画なし（制限なし）"};
  if (state == "not_begun") return {"not begun", "開始前"};
  if (state == "warming_up") return {"warming up", "ウォームアップ中"};
  return {"its plan is over", "計画は終了"};
}

std::string count_text(const boost::json::value& of, std::string_view name) {
  return fmt::format("{}", number_of(of, name));
}

void show_receivers(Session& session, const std::vector<const boost::json::value*>& sources) {
  std::vector<std::vector<std::string>> rows = {
      {session.words({"SOURCE", "送信元"}), session.words({"RECEIVER", "受信側"}),
       session.words({"TODAY", "今日"}), session.words({"USED", "使用"}),
       session.words({"LEFT", "残り"})}};
  for (const boost::json::value* source : sources) {
    const auto& plan = source->as_object().at("warm_up");
    for (const auto& each : list_of(plan, "receivers")) {
      rows.push_back({text_of(*source, "name"), text_of(each, "receiver"),
                      count_text(each, "volume"), count_text(each, "taken"),
                      count_text(each, "left")});
    }
  }
  if (rows.size() == 1) return;
  session.out() << '\n';
  print_table(session.out(), std::move(rows));
}

}  // namespace

int list_sources(Session& session) {
  return session.call(operate::Given(calls::kSources), [&](const boost::json::value& answer) {
    std::vector<std::vector<std::string>> rows = {
        {session.words({"SOURCE", "送信元"}), session.words({"TRAFFIC", "種別"}),
         session.words({"WARM-UP", "ウォームアップ"}), session.words({"STEP", "段階"}),
         session.words({"TODAY", "今日"}), session.words({"USED", "使用"}),
         session.words({"LEFT", "残り"}), session.words({"WHAT IS OVER", "超えた分"})}};
    std::vector<const boost::json::value*> warming;
    for (const auto& source : list_of(answer, "sources")) {
      const std::string state = text_of(source, "state");
      std::vector<std::string> row = {text_of(source, "name"), text_of(source, "traffic"),
                                      session.words(warm_up_words(state))};
      const auto* const object = source.if_object();
      const auto* const plan = object == nullptr ? nullptr : object->if_contains("warm_up");
      const bool is_warming = plan != nullptr && plan->is_object() && state == "warming_up";
      if (is_warming) {
        warming.push_back(&source);
        row.push_back(fmt::format("{}/{}", number_of(*plan, "step"), number_of(*plan, "steps")));
        for (const std::string_view name : {"volume", "taken", "left"}) {
          row.push_back(count_text(*plan, name));
        }
        row.emplace_back(
            text_of(*plan, "overflow") == "pool"
                ? session.words({"goes by others of its pool", "同じプールの別の送信元へ"})
                : session.words({"waits for tomorrow", "翌日まで待つ"}));
      } else {
        row.resize(8, "-");
      }
      rows.push_back(std::move(row));
    }
    if (rows.size() == 1) {
      return session.say({"There are no sources.", "送信元はありません。"});
    }
    print_table(session.out(), std::move(rows));
    show_receivers(session, warming);
  });
}

}  // namespace todoku::cli
