// SPDX-License-Identifier: Apache-2.0
// todoku nodes, todoku cluster adopt
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/printable.h"
#include "cli/commands.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

constexpr std::string_view text_name(Language language) {
  return language == Language::japanese ? "text_ja" : "text";
}

std::string sources_of(const boost::json::value& node) {
  std::string names;
  for (const auto& source : list_of(node, "sources")) {
    if (!names.empty()) names += ",";
    if (source.is_string()) names += source.get_string();
  }
  return names;
}

std::string state_of(const Session& session, const boost::json::value& node) {
  const std::string state = text_of(node, "state");
  if (state == "alive" && truth_of(node, "leads")) return session.words({"leads", "主導中"});
  if (state == "alive") return session.words({"alive", "稼働中"});
  if (state == "void") return session.words({"gone", "終了"});
  return session.words({"lapsed", "応答なし"});
}

// What the call answers; nullopt after a failure, which has been printed.
std::optional<boost::json::value> asked(Session& session, const Given& given, int& status) {
  std::optional<boost::json::value> answer;
  status = session.ask_for(given, [&](const boost::json::value& value) { answer = value; });
  return answer;
}

int nothing_to_adopt(Session& session) {
  if (session.common().json) {
    session.out() << R"({"done":true,"adopted":false})" << '\n';
  } else {
    session.say({"Nothing to do: the store has no other names.",
                 "何もする必要はありません。ストアの名前はこの設定と一致しています。"});
  }
  return 0;
}

// Piece by piece, until nothing waits.
int cancel_all(Session& session) {
  std::int64_t recipients = 0;
  std::int64_t from = 0;
  do {
    int status = 0;
    const auto answer = asked(session, Given(calls::kCancelWaiting).with("from", from), status);
    if (!answer) return status;
    recipients += number_of(*answer, "recipients");
    from = number_of(*answer, "next");
  } while (from != 0);
  if (!session.common().json) {
    session.say({"{} recipients were cancelled.", "{} 件の宛先を取り消しました。"}, recipients);
  }
  return 0;
}

}  // namespace

int list_nodes(Session& session, bool utc) {
  Given given(calls::kListNodes);
  if (utc) given.with("utc_offset_minutes", std::int64_t{0});
  return session.call(given, [&](const boost::json::value& answer) {
    std::vector<std::vector<std::string>> rows{
        {session.words({"node", "ノード"}), session.words({"roles", "役割"}),
         session.words({"host", "ホスト"}), session.words({"version", "バージョン"}),
         session.words({"since", "開始"}), session.words({"state", "状態"}),
         session.words({"lease left", "リースの残り"}), session.words({"batches", "バッチ"}),
         session.words({"recipients", "宛先"}), session.words({"sources", "送信元"})}};
    for (const auto& node : list_of(answer, "nodes")) {
      rows.push_back(
          {text_of(node, "node"), text_of(node, "roles"), text_of(node, "host"),
           text_of(node, "version"), time_of(node, "entered"), state_of(session, node),
           fmt::format("{:.1f} s", static_cast<double>(number_of(node, "lease_left_ms")) / 1'000.0),
           fmt::format("{}", number_of(node, "batches")),
           fmt::format("{}", number_of(node, "recipients")), sources_of(node)});
    }
    if (rows.size() == 1) {
      session.say({"No process works on the store.", "ストアを使っているプロセスはありません。"});
    } else {
      print_table(session.out(), std::move(rows));
    }
  });
}

int adopt_cluster(Session& session, WhatWaits waits) {
  int status = 0;
  const auto cluster = asked(session, Given(calls::kCluster), status);
  if (!cluster) return status;
  if (list_of(*cluster, "hold").empty()) return nothing_to_adopt(session);
  const auto waiting = asked(session, Given(calls::kWaiting), status);
  if (!waiting) return status;
  const std::int64_t deliveries = number_of(*waiting, "deliveries");
  const std::int64_t recipients = number_of(*waiting, "recipients");
  if (!session.common().json) {
    for (const auto& name : list_of(*cluster, "hold")) {
      session.out() << printable(text_of(name, text_name(session.language()))) << '\n';
    }
    session.say({"In it wait {} deliveries with {} recipients.",
                 "送信待ちの配信が {} 件、宛先が {} 件あります。"},
                deliveries, recipients);
  }
  if (deliveries > 0 && waits == WhatWaits::unsaid) {
    return session.fail(session.words(
        {"say what becomes of what waits: --send-waiting sends it, a second time if others "
         "send it as well; --cancel-waiting cancels it",
         "送信待ちのものをどうするか指定してください。--send-waiting は送信し（ほかでも送信される"
         "場合は二重に届きます）、--cancel-waiting は取り消します"}));
  }
  if (deliveries > 0 && waits == WhatWaits::cancelled) {
    if (const int cancelled = cancel_all(session); cancelled != 0) return cancelled;
  }
  const Given adopt = Given(calls::kAdopt).with("send_waiting", waits == WhatWaits::sent);
  const auto adopted = asked(session, adopt, status);
  if (!adopted) return status;
  if (session.common().json) {
    const boost::json::object all{{"done", true},
                                  {"adopted", true},
                                  {"deliveries", deliveries},
                                  {"recipients", recipients},
                                  {"cancelled", waits == WhatWaits::cancelled}};
    session.out() << boost::json::serialize(all) << '\n';
    return 0;
  }
  session.say({"The store has the names of this installation now; a process in HOLD goes on.",
               "ストアの名前をこの設定のものにしました。HOLD 中のプロセスは処理を始めます。"});
  return 0;
}

}  // namespace todoku::cli
