// SPDX-License-Identifier: Apache-2.0
// todoku probe
#include <chrono>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"
#include "cli/printable_stream.h"
#include "operate/calls/calls.h"

namespace todoku::cli {

namespace calls = operate::calls;

namespace {

constexpr std::chrono::milliseconds kBetweenLooks = std::chrono::seconds(2);
constexpr std::int64_t kLookedAt = 1'000;

Sentence place_words(std::string_view place) {
  if (place == "waiting") return {"under way", "確認中"};
  if (place == "inbox") return {"inbox", "受信トレイ"};
  if (place == "junk") return {"junk", "迷惑メール"};
  if (place == "other") return {"another folder", "別のフォルダー"};
  if (place == "missing") return {"accepted, not found", "受理されたが見つからない"};
  if (place == "refused") return {"not accepted", "受理されていない"};
  return {"not known", "不明"};
}

std::string seconds_text(const boost::json::value& probe) {
  const auto* const object = probe.if_object();
  const auto* const seconds = object == nullptr ? nullptr : object->if_contains("seconds");
  if (seconds == nullptr || !seconds->is_number()) return "-";
  return fmt::format("{:.0f} s", seconds->to_number<double>());
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : text;
}

void show(Session& session, const boost::json::array& probes) {
  if (probes.empty()) return session.say({"There are no probes yet.", "まだ結果はありません。"});
  std::vector<std::vector<std::string>> rows = {
      {session.words({"ASKED", "開始"}), session.words({"MAILBOX", "メールボックス"}),
       session.words({"FROM", "差出人"}), session.words({"SOURCE", "送信元"}),
       session.words({"PLACE", "場所"}), session.words({"FOLDER", "フォルダー"}),
       session.words({"AFTER", "所要"}), "SPF", "DKIM", "DMARC"}};
  for (const auto& probe : probes) {
    rows.push_back(
        {time_of(probe, "asked"), text_of(probe, "mailbox"), text_of(probe, "from"),
         or_dash(text_of(probe, "source")), session.words(place_words(text_of(probe, "place"))),
         or_dash(text_of(probe, "folder")), seconds_text(probe), or_dash(text_of(probe, "spf")),
         or_dash(text_of(probe, "dkim")), or_dash(text_of(probe, "dmarc"))});
  }
  print_table(session.out(), std::move(rows));
  for (const auto& probe : probes) {
    const std::string detail = text_of(probe, "detail");
    if (detail.empty()) continue;
    session.out() << fmt::format("{}: {}\n", printable(text_of(probe, "mailbox")),
                                 printable(detail));
  }
}

operate::Given history_of(const ProbeWish& wish) {
  operate::Given given = operate::Given(calls::kListProbes).with("limit", wish.limit);
  if (!wish.mailbox.empty()) given.with("mailbox", wish.mailbox);
  if (wish.utc) given.with("utc_offset_minutes", std::int64_t{0});
  return given;
}

// Those of `ids` as they are now.
int look(Session& session, const ProbeWish& wish, const std::set<std::string>& ids,
         boost::json::array& found) {
  ProbeWish newest = wish;
  newest.limit = kLookedAt;
  return session.ask_for(history_of(newest), [&](const boost::json::value& answer) {
    found.clear();
    for (const auto& probe : list_of(answer, "probes")) {
      if (ids.contains(text_of(probe, "id"))) found.push_back(probe);
    }
  });
}

bool all_are_over(const boost::json::array& probes) {
  for (const auto& probe : probes) {
    if (!truth_of(probe, "over")) return false;
  }
  return true;
}

}  // namespace

int probe_run(Session& session, const ProbeWish& wish) {
  operate::Given given(calls::kAskProbes);
  if (!wish.mailbox.empty()) given.with("mailbox", wish.mailbox);
  if (!wish.from.empty()) given.with("from", wish.from);
  boost::json::array probes;
  std::set<std::string> ids;
  const int asked = session.ask_for(given, [&](const boost::json::value& answer) {
    probes = list_of(answer, "probes");
    for (const auto& probe : probes) ids.insert(text_of(probe, "id"));
  });
  if (asked != 0) return asked;
  while (!wish.at_once && !all_are_over(probes)) {
    if (!session.host().wait(kBetweenLooks)) break;
    if (const int looked = look(session, wish, ids, probes); looked != 0) return looked;
  }
  bool good = true;
  for (const auto& probe : probes) good = good && text_of(probe, "place") == "inbox";
  if (session.common().json) {
    session.out() << printable_json(boost::json::serialize(boost::json::object{{"probes", probes}}))
                  << '\n';
  } else {
    show(session, probes);
  }
  return good || wish.at_once ? 0 : 1;
}

int probe_history(Session& session, const ProbeWish& wish) {
  return session.call(history_of(wish), [&](const boost::json::value& answer) {
    show(session, list_of(answer, "probes"));
  });
}

int probe_list(Session& session) {
  return session.call(operate::Given(calls::kProbePlan), [&](const boost::json::value& plan) {
    const auto& mailboxes = list_of(plan, "mailboxes");
    if (mailboxes.empty()) {
      return session.say({"There is no [[probe.mailbox]] in the configuration.",
                          "設定に [[probe.mailbox]] がありません。"});
    }
    std::vector<std::vector<std::string>> rows = {{session.words({"MAILBOX", "メールボックス"}),
                                                   session.words({"PROVIDER", "プロバイダー"}),
                                                   session.words({"ADDRESS", "アドレス"}), "IMAP"}};
    for (const auto& mailbox : mailboxes) {
      rows.push_back({text_of(mailbox, "name"), text_of(mailbox, "provider"),
                      text_of(mailbox, "address"), text_of(mailbox, "host")});
    }
    print_table(session.out(), std::move(rows));
    if (const std::int64_t minutes = number_of(plan, "every_minutes"); minutes > 0) {
      session.say({"Tried every {} minutes.", "{} 分ごとに調べます。"}, minutes);
    }
  });
}

}  // namespace todoku::cli
