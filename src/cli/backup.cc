// SPDX-License-Identifier: Apache-2.0
// todoku backup, todoku restore
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include "base/date_time.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

BackupTold watching(Session& session, Progress& progress, const Sentence& label) {
  return [&session, &progress, label](std::int64_t done, std::int64_t pages) {
    if (!session.common().json) {
      progress.show({.label = session.words(label), .done = done, .total = pages, .rest = {}});
    }
    return session.host().wait(std::chrono::milliseconds(0));
  };
}

void print_json(Session& session, const BackedUp& backup) {
  boost::json::object all{{"place", backup.place},
                          {"version", backup.version},
                          {"deliveries", backup.deliveries},
                          {"recipients", backup.recipients},
                          {"suppressions", backup.suppressions},
                          {"files", backup.files},
                          {"octets", backup.octets},
                          {"took_ms", backup.took.count()},
                          {"replaced", backup.replaced},
                          {"other_key", backup.other_key}};
  if (backup.at) all["at"] = format_utc(*backup.at);
  session.out() << boost::json::serialize(all) << '\n';
}

void say_figures(Session& session, const BackedUp& backup) {
  session.say({"Checked: {} deliveries, {} recipients, {} entries of suppression lists, {} files "
               "of lists.",
               "検査済み: 配信 {} 件、宛先 {} 件、配信停止リスト {} 件、リストのファイル {} 件。"},
              backup.deliveries, backup.recipients, backup.suppressions, backup.files);
}

}  // namespace

int back_up(Session& session, const std::string& to) {
  Progress progress(session.host().terminal(), session.err());
  const auto backup = session.host().back_up(
      session.common().config, to, watching(session, progress, {"backup", "バックアップ"}));
  progress.end();
  if (!backup) return session.fail(backup.error().detail);
  if (session.common().json) {
    print_json(session, *backup);
    return 0;
  }
  session.say({"{}: {:.1f} MiB in {:.1f} s", "{}: {:.1f} MiB、{:.1f} 秒"}, printable(backup->place),
              static_cast<double>(backup->octets) / (1 << 20),
              static_cast<double>(backup->took.count()) / 1'000.0);
  say_figures(session, *backup);
  session.say(
      {"The master key is not in it: keep a copy of that apart. In it are addresses and "
       "mails.",
       "マスターキーは含まれないため、別に保管してください。宛先とメールの内容を含みます。"});
  return 0;
}

int restore_from(Session& session, const RestoreWish& wish) {
  Progress progress(session.host().terminal(), session.err());
  const auto restored = session.host().restore(session.common().config, wish,
                                               watching(session, progress, {"restore", "復元"}));
  progress.end();
  if (!restored) return session.fail(restored.error().detail);
  if (session.common().json) {
    print_json(session, *restored);
    return 0;
  }
  session.say({"{} is restored from {}.", "{} を {} から復元しました。"},
              printable(restored->place), printable(wish.from));
  if (restored->at) {
    session.say({"Its last change is of {}.", "最後の変更: {}"}, format_date_time(*restored->at));
  }
  say_figures(session, *restored);
  if (!restored->replaced.empty()) {
    session.say(
        {"The store that was there is in {} now, with its files; remove that when it is not needed "
         "any more.",
         "元のストアはファイルとともに {} に移しました。不要になったら削除してください。"},
        printable(restored->replaced));
  }
  if (restored->other_key) {
    session.say(
        {"The master key here is not the one of this store: put that back before you "
         "start.",
         "マスターキーがこのストアのものと異なります。起動する前に元に戻してください。"});
  }
  session.say(
      {"An engine that starts on it stands in HOLD: `todoku restore fold` folds in what "
       "the journal knows, `todoku cluster adopt` where there is none.",
       "起動したエンジンは HOLD になります。ジャーナルがあれば `todoku restore fold`、"
       "なければ `todoku cluster adopt` を実行してください。"});
  return 0;
}

namespace {

// What the pieces of a folding come to.
struct FoldedSum {
  std::int64_t records = 0, missing = 0, torn = 0, outcomes = 0, known = 0, elsewhere = 0,
               steered = 0, unfinished = 0, stops = 0, removals = 0, refused = 0;
  std::string written;

  void add(const boost::json::value& piece) {
    for (const auto& [name, number] : numbers()) *number += number_of(piece, name);
    if (const std::string time = time_of(piece, "written"); !time.empty()) written = time;
  }
  [[nodiscard]] boost::json::object json() {
    boost::json::object all{{"done", true}};
    for (const auto& [name, number] : numbers()) all[name] = *number;
    return all;
  }

 private:
  std::vector<std::pair<std::string_view, std::int64_t*>> numbers() {
    return {{"records", &records},   {"missing", &missing},       {"torn", &torn},
            {"outcomes", &outcomes}, {"known", &known},           {"elsewhere", &elsewhere},
            {"steered", &steered},   {"unfinished", &unfinished}, {"stops", &stops},
            {"removals", &removals}, {"refused", &refused}};
  }
};

void say_folded(Session& session, const FoldedSum& sum) {
  session.say({"Folded in: {} outcomes, {} deliveries started, paused or stopped, {} entries of "
               "suppression lists and {} removals of such. Known before: {} outcomes.",
               "反映しました: 送信結果 {} 件、配信の開始・一時停止・停止 {} 件、配信停止の登録 {} "
               "件と解除 {} 件。反映済みだった送信結果: {} 件。"},
              sum.outcomes, sum.steered, sum.stops, sum.removals, sum.known);
  if (sum.elsewhere > 0) {
    session.say({"{} outcomes are of mails that were accepted after the backup: they are not in "
                 "this store.",
                 "{} 件の送信結果は、バックアップより後に受け付けたメールのもので、このストアには"
                 "ありません。"},
                sum.elsewhere);
  }
  if (sum.unfinished > 0) {
    session.say({"{} deliveries were begun after the backup and are drafts in it: look at them "
                 "before they are sent, some of their recipients may have got them.",
                 "{} 件の配信はバックアップの後に送信が始まり、このストアでは下書きです。送信済みの"
                 "宛先があるかもしれないため、送信前に確認してください。"},
                sum.unfinished);
  }
  if (sum.missing > 0) {
    session.say(
        {"{} records are missing in the folder: whose outcomes and opt-outs were in them is "
         "not known, and a release sends to them again.",
         "ジャーナルの {} 件の記録がありません。その中の送信結果と配信停止は不明で、送信を"
         "再開すると、その宛先にもう一度送信されます。"},
        sum.missing);
  }
  if (sum.torn > 0) {
    session.say({"{} octets are not whole records: a process died there, or the files are damaged.",
                 "完全な記録でない部分が {} オクテットあります（書き込み中の停止、またはファイルの"
                 "破損）。"},
                sum.torn);
  }
  if (sum.refused > 0) {
    session.say({"{} entries were refused.", "{} 件の登録は反映できませんでした。"}, sum.refused);
  }
  session.say({"The journal ends at {}. What was sent after that, in the last moment before the "
               "store was lost, is not in it.",
               "ジャーナルは {} までです。それより後、ストアが失われる直前の送信は含まれません。"},
              sum.written);
}

std::optional<boost::json::value> answer_to(Session& session, const Given& given, int& status) {
  std::optional<boost::json::value> answer;
  status = session.ask_for(given, [&](const boost::json::value& value) { answer = value; });
  return answer;
}

// Gives the store the names of this installation; with what still waits in it.
int go_on(Session& session, std::int64_t ended) {
  int status = 0;
  const auto waiting = answer_to(session, Given(calls::kWaiting), status);
  if (!waiting) return status;
  const std::int64_t recipients = number_of(*waiting, "recipients");
  const auto adopted = answer_to(session, Given(calls::kAdopt).with("send_waiting", true), status);
  if (!adopted) return status;
  if (session.common().json) {
    const boost::json::object all{{"done", true}, {"released", recipients}, {"ended", ended}};
    session.out() << boost::json::serialize(all) << '\n';
    return 0;
  }
  session.say({"{} recipients go on; a process in HOLD starts.",
               "{} 件の宛先の送信を続けます。HOLD 中のプロセスは処理を始めます。"},
              recipients);
  return 0;
}

}  // namespace

int restore_fold(Session& session) {
  FoldedSum sum;
  std::int64_t from = 0;
  int status = 0;
  do {
    const auto piece = answer_to(session, Given(calls::kFold).with("from", from), status);
    if (!piece) return status;
    sum.add(*piece);
    from = number_of(*piece, "next");
  } while (from != 0);
  const auto waiting = answer_to(session, Given(calls::kWaiting), status);
  if (!waiting) return status;
  const std::int64_t deliveries = number_of(*waiting, "deliveries");
  const std::int64_t recipients = number_of(*waiting, "recipients");
  if (session.common().json) {
    boost::json::object all = sum.json();
    all["waiting_deliveries"] = deliveries;
    all["waiting_recipients"] = recipients;
    session.out() << boost::json::serialize(all) << '\n';
    return 0;
  }
  say_folded(session, sum);
  session.say({"{} deliveries with {} recipients still wait, and are held: `todoku restore "
               "release` sends them, `todoku restore end --as unknown` ends them unsent.",
               "送信待ちの配信 {} 件（宛先 {} 件）は保留中です。送信するなら `todoku restore "
               "release`、送信せずに終えるなら `todoku restore end --as unknown` を実行してくださ"
               "い。"},
              deliveries, recipients);
  return 0;
}

int restore_release(Session& session) {
  return go_on(session, 0);
}

int restore_end(Session& session) {
  std::int64_t ended = 0;
  std::int64_t from = 0;
  int status = 0;
  do {
    const auto piece = answer_to(
        session, Given(calls::kCancelWaiting).with("from", from).with("unknown", true), status);
    if (!piece) return status;
    ended += number_of(*piece, "recipients");
    from = number_of(*piece, "next");
  } while (from != 0);
  if (!session.common().json) {
    session.say({"{} recipients ended as unknown.", "{} 件の宛先を unknown（不明）としました。"},
                ended);
  }
  return go_on(session, ended);
}

}  // namespace todoku::cli
