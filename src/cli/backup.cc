// SPDX-License-Identifier: Apache-2.0
// todoku backup, todoku restore
#include <csignal>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

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
  const boost::json::object all{{"place", backup.place},
                                {"version", backup.version},
                                {"deliveries", backup.deliveries},
                                {"recipients", backup.recipients},
                                {"suppressions", backup.suppressions},
                                {"files", backup.files},
                                {"octets", backup.octets},
                                {"took_ms", backup.took.count()},
                                {"replaced", backup.replaced},
                                {"other_key", backup.other_key}};
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
  const auto backup =
      session.host().back_up(session.common().config, to,
                             watching(session, progress, {"backup", "バックアップ"}));
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
  session.say({"The master key is not in it: keep a copy of that apart. In it are addresses and "
               "mails.",
               "マスターキーは含まれないため、別に保管してください。宛先とメールの内容を含みます。"});
  return 0;
}

int restore_from(Session& session, const std::string& from, bool replace) {
  Progress progress(session.host().terminal(), session.err());
  const auto restored =
      session.host().restore(session.common().config, from, replace,
                             watching(session, progress, {"restore", "復元"}));
  progress.end();
  if (!restored) return session.fail(restored.error().detail);
  if (session.common().json) {
    print_json(session, *restored);
    return 0;
  }
  session.say({"{} is restored from {}.", "{} を {} から復元しました。"},
              printable(restored->place), printable(from));
  say_figures(session, *restored);
  if (!restored->replaced.empty()) {
    session.say({"The store that was there is {} now; remove it when it is not needed any more.",
                 "元のストアは {} に移しました。不要になったら削除してください。"},
                printable(restored->replaced));
  }
  if (restored->other_key) {
    session.say({"The master key here is not the one of this store: put that back before you "
                 "start.",
                 "マスターキーがこのストアのものと異なります。起動する前に元に戻してください。"});
  }
  session.say({"An engine that starts on it stands in HOLD: `todoku restore fold` folds in what "
               "the journal knows, `todoku cluster adopt` where there is none.",
               "起動したエンジンは HOLD になります。ジャーナルがあれば `todoku restore fold`、"
               "なければ `todoku cluster adopt` を実行してください。"});
  return 0;
}

}  // namespace todoku::cli
