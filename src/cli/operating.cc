// SPDX-License-Identifier: Apache-2.0
// todoku status|drain|healthcheck
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>
#include <thread>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <signal.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/printable.h"
#include "cli/commands.h"
#include "http/json.h"
#include "operate/calls/calls.h"

namespace todoku::cli {
namespace {

using operate::Given;
namespace calls = operate::calls;

// Labels as wide as one another: a character of Japanese takes two columns.
constexpr Sentence kVersion{"version    ", "バージョン "};
constexpr Sentence kEngine{"engine     ", "エンジン   "};
constexpr Sentence kRoles{"roles      ", "役割       "};
constexpr Sentence kApi{"API        ", "API        "};
constexpr Sentence kConsole{"console    ", "管理画面   "};
constexpr Sentence kData{"data       ", "データ     "};
constexpr Sentence kRunning{"running", "動作中"};
constexpr Sentence kDraining{"draining", "停止準備中"};
constexpr Sentence kHolding{"HOLD, accepts and sends nothing", "HOLD（受け付けも送信もしません）"};
constexpr Sentence kStopped{"not running", "停止中"};
constexpr Sentence kNotRunning{"the engine is not running", "エンジンは動いていません"};

void print_running(Session& session, const boost::json::value& status) {
  const Language language = session.language();
  std::ostream& out = session.out();
  const bool holds = !list_of(status, "hold").empty();
  const std::string_view state = (holds                          ? kHolding
                                  : truth_of(status, "draining") ? kDraining
                                                                 : kRunning)
                                     .in(language);
  const std::int64_t pid = number_of(status, "pid");
  const std::string since = time_of(status, "started");
  if (language == Language::japanese) {
    fmt::print(out, "{}{}、プロセス {}、{} に開始\n", kEngine.in(language), state, pid, since);
  } else {
    fmt::print(out, "{}{}, process {}, since {}\n", kEngine.in(language), state, pid, since);
  }
  std::string roles;
  for (const auto& role : list_of(status, "roles")) {
    if (!roles.empty()) roles += ", ";
    if (role.is_string()) roles += role.get_string();
  }
  fmt::print(out, "{}{}\n", kRoles.in(language), roles);
  if (const auto api = text_of(status, "api"); !api.empty()) {
    fmt::print(out, "{}{}\n", kApi.in(language), api);
  }
  if (const auto console = text_of(status, "console"); !console.empty()) {
    fmt::print(out, "{}{}\n", kConsole.in(language), console);
  }
}

void print_missing(Session& session, const boost::json::value& status) {
  for (const auto& role : list_of(status, "missing_roles")) {
    if (!role.is_string()) continue;
    if (role.get_string() == "events") {
      session.say(
          {"missing    no process with the role {} works on this store: imports wait, what "
           "was deleted stays",
           "不足       {} の役割のプロセスが動いていないため、インポートが始まらず、削除済み"
           "データも残ります"},
          std::string_view(role.get_string()));
      continue;
    }
    session.say({"missing    no process with the role {} works on this store: nothing is sent",
                 "不足       {} の役割のプロセスが動いていないため、送信されません"},
                std::string_view(role.get_string()));
  }
}

void print_differences(Session& session, const boost::json::value& status) {
  const bool japanese = session.language() == Language::japanese;
  for (const auto& difference : list_of(status, "differences")) {
    fmt::print(session.out(), "{}{}\n", japanese ? "不一致     " : "differs    ",
               printable(text_of(difference, japanese ? "text_ja" : "text")));
  }
}

void print_hold(Session& session, const boost::json::value& status) {
  const bool japanese = session.language() == Language::japanese;
  for (const auto& name : list_of(status, "hold")) {
    fmt::print(session.out(), "HOLD       {}\n",
               printable(text_of(name, japanese ? "text_ja" : "text")));
  }
  if (list_of(status, "hold").empty()) return;
  // Of a store that was restored from an older copy.
  if (truth_of(status, "behind_journal")) {
    session.say({"           until it knows what became of its mail: todoku restore fold",
                 "           送信結果を反映するには: todoku restore fold"});
    return;
  }
  session.say({"           until it is taken over: todoku cluster adopt",
               "           引き継ぐには: todoku cluster adopt"});
}

void print_journal(Session& session, const boost::json::value& status) {
  const std::string trouble = text_of(status, "journal");
  if (trouble.empty()) return;
  session.say({"journal    not written, mail goes on: {}",
               "ジャーナル 書き込めません（メールの送信は続きます）: {}"},
              printable(trouble));
}

void print_shipping(Session& session, const boost::json::value& status) {
  const std::string trouble = text_of(status, "shipping");
  if (trouble.empty()) return;
  session.say({"shipping   the store is not shipped, mail goes on: {}",
               "転送       ストアを送れません（メールの送信は続きます）: {}"},
              printable(trouble));
}

// Where no engine is asked: the engines that run elsewhere, for people; empty: none is known of.
std::string elsewhere_of(const boost::json::value& status) {
  std::string names;
  for (const auto& node : list_of(status, "elsewhere")) {
    if (!names.empty()) names += ", ";
    names += printable(fmt::format("{} ({})", text_of(node, "node"), text_of(node, "roles")));
  }
  return names;
}

void print_stopped(Session& session, const boost::json::value& status) {
  const Language language = session.language();
  const std::string nodes = elsewhere_of(status);
  fmt::print(session.out(), "{}{}\n", kEngine.in(language),
             nodes.empty() ? std::string(kStopped.in(language))
                           : session.words({"runs as node {}, which is not asked here",
                                            "ノード {} として動作中（ここからは確かめられません）"},
                                           nodes));
}

// Of a command that needs the engine, where none answers.
int without_engine(Session& session, AdminPort& port) {
  const auto answer = port.call(request_of(Given(calls::kStatus)));
  http::JsonArena arena;
  if (answer && answer->ok()) {
    const auto status = http::parse_json(answer->body, arena);
    const std::string nodes = status ? elsewhere_of(*status) : "";
    if (!nodes.empty()) {
      return session.fail(
          session.words({"the engine runs as node {}, and does not answer here: ask there",
                         "エンジンはノード {} として動作中で、ここからは応答がありません。"
                         "そちらで実行してください"},
                        nodes));
    }
  }
  return session.fail(session.words(kNotRunning));
}

void print_queue(Session& session, const boost::json::value& queue) {
  const bool japanese = session.language() == Language::japanese;
  std::ostream& out = session.out();
  const std::string name = text_of(queue, "class");
  const std::int64_t waiting = number_of(queue, "waiting");
  const std::int64_t aside = number_of(queue, "set_aside");
  std::string due = time_of(queue, "earliest_due");
  if (!due.empty()) due = (japanese ? "、最も早い予定 " : ", earliest due ") + due;
  if (japanese) {
    fmt::print(out, "{:<14} 残り {} 件{}\n", name, waiting, due);
    if (aside > 0) {
      fmt::print(out, "{:<14} うち {} 件は隔離中: todoku stuck\n", "", aside);
    }
    return;
  }
  fmt::print(out, "{:<14} {} recipients to go{}\n", name, waiting, due);
  if (aside > 0) {
    fmt::print(out, "{:<14} {} of them set aside, they wait for you: todoku stuck\n", "", aside);
  }
}

// Deliveries that are reserved for later; null: there are none.
const boost::json::value* reserved_in(const boost::json::value& status) {
  return status.is_object() ? status.get_object().if_contains("reserved") : nullptr;
}

void print_reserved(Session& session, const boost::json::value& status) {
  const auto* const reserved = reserved_in(status);
  if (reserved == nullptr) return;
  session.say({"reserved       {0}{1} recipients of {2} deliveries, the first at {3}",
               "予約           {0}{1} 件（配信 {2} 件）、最初は {3}"},
              truth_of(*reserved, "more") ? session.words({"at least ", "少なくとも "}) : "",
              number_of(*reserved, "recipients"), number_of(*reserved, "deliveries"),
              time_of(*reserved, "first"));
}

void print_suspended(Session& session, const boost::json::value& status) {
  for (const auto& account : list_of(status, "suspended")) {
    session.say({"suspended      account {0}, {1} recipients to go: todoku account resume {0}",
                 "停止中         アカウント {0}、残り {1} 件: todoku account resume {0}"},
                printable(text_of(account, "name")), recipients_of(session, account));
  }
  if (truth_of(status, "more_suspended")) {
    session.say({"               and more: todoku account list",
                 "               ほかにもあります: todoku account list"});
  }
}

void print_held(Session& session, const boost::json::value& status) {
  for (const auto& credential : list_of(status, "held_credentials")) {
    session.say({"held           SMTP credential {0} of account {1}, since {2}: {3}",
                 "保留中         SMTP 認証情報 {0}（アカウント {1}、{2} から）: {3}"},
                printable(text_of(credential, "name")), printable(text_of(credential, "account")),
                time_of(credential, "held"), printable(text_of(credential, "held_because")));
  }
  if (truth_of(status, "more_held")) {
    session.say({"               and more: todoku smtp-credential list",
                 "               ほかにもあります: todoku smtp-credential list"});
  }
}

// What drain() wants to know of an engine; zeros where it cannot be told.
struct Told {
  pid_t process = 0;
  std::int64_t drained_at_ms = 0;
  std::int64_t in_doubt = 0;
  std::int64_t to_go = 0;
  std::int64_t reserved = 0;   // recipients; not among those to go
  std::string reserved_first;  // when the first of them is due
  bool others_live = false;    // engines on the same store, which go on
};

std::optional<Told> told_by(AdminPort& port) {
  const auto answer = port.call(request_of(Given(calls::kStatus)));
  if (!answer || !answer->ok()) return std::nullopt;
  http::JsonArena arena;
  const auto status = http::parse_json(answer->body, arena);
  if (!status) return std::nullopt;
  Told told{.process = static_cast<pid_t>(number_of(*status, "pid"))};
  told.others_live = !list_of(*status, "elsewhere").empty();
  for (const auto& queue : list_of(*status, "queues")) told.to_go += number_of(queue, "waiting");
  if (const auto* const reserved = reserved_in(*status); reserved != nullptr) {
    told.reserved = number_of(*reserved, "recipients");
    told.reserved_first = time_of(*reserved, "first");
  }
  const auto* drained = status->is_object() ? status->get_object().if_contains("drained") : nullptr;
  if (drained != nullptr) {
    told.drained_at_ms = number_of(*drained, "at_ms");
    told.in_doubt = number_of(*drained, "in_doubt");
  }
  return told;
}

// The engine has left word in the store how it ended. A supervisor may have started the next one
// already.
void tell_what_is_left(Session& session, const Told& before) {
  AdminPort* const port = session.reopened_port();
  const auto after = port == nullptr ? std::nullopt : told_by(*port);
  if (!after) {
    session.say({"It has stopped.", "停止しました。"});
    return;
  }
  if (after->drained_at_ms == before.drained_at_ms) {
    session.say({"It has stopped. It left no word how many mails it broke off: the log tells.",
                 "停止しました。途中で打ち切った通数の記録がありません。ログを確かめてください。"});
  } else if (after->in_doubt == 0) {
    session.say({"It has stopped. No mail is in doubt.",
                 "停止しました。届いたか分からないメールはありません。"});
  } else {
    session.say(
        {"It has stopped. {} mails were out and without an answer when it broke off: they "
         "may have arrived, and go a second time, except those that are sent at most once.",
         "停止しました。応答が届く前に打ち切ったメールが {} 通あります。届いている可能性があ"
         "り、二重に送らない指定のものを除いて再送します。"},
        after->in_doubt);
  }
  if (after->to_go > 0 && after->others_live) {
    session.say({"{} recipients remain to go on this store, where other processes go on.",
                 "残り {} 件の宛先には、同じストアのほかのプロセスが送信を続けます。"},
                after->to_go);
  } else if (after->to_go == 0) {
    session.say({"Nothing remains to go.", "送信の残りはありません。"});
  } else {
    session.say({"{} recipients remain to go; they go on after the next start.",
                 "残り {} 件の宛先には、次の起動のあとに送信します。"},
                after->to_go);
  }
  if (after->reserved > 0 && !after->others_live) {
    session.say(
        {"Apart from these {} recipients are reserved for later, the first for {}: an engine "
         "has to run then.",
         "ほかに {} 件の宛先が予約されています。最初の予約は {} です。それまでにエンジンを起動"
         "してください。"},
        after->reserved, after->reserved_first);
  }
}

// A process that has ended stays a number until its parent has asked how (proc(5), state Z).
bool is_alive(pid_t process) {
  if (process <= 0 || (::kill(process, 0) != 0 && errno != EPERM)) return false;
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  const std::string stat(std::istreambuf_iterator<char>(file), {});
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || name_end + 2 >= stat.size()) return true;
  return stat[name_end + 2] != 'Z' && stat[name_end + 2] != 'X';
}

}  // namespace

int show_status(Session& session) {
  return session.call(Given(calls::kStatus), [&](const boost::json::value& status) {
    std::ostream& out = session.out();
    const Language language = session.language();
    fmt::print(out, "{}{}\n", kVersion.in(language), text_of(status, "version"));
    if (truth_of(status, "running")) {
      print_running(session, status);
    } else {
      print_stopped(session, status);
    }
    fmt::print(out, "{}{}\n", kData.in(language), text_of(status, "data_directory"));
    print_differences(session, status);
    print_hold(session, status);
    print_journal(session, status);
    print_shipping(session, status);
    print_missing(session, status);
    for (const auto& queue : list_of(status, "queues")) print_queue(session, queue);
    print_reserved(session, status);
    print_suspended(session, status);
    print_held(session, status);
  });
}

int drain(Session& session, std::chrono::seconds patience) {
  AdminPort* port = session.port();
  if (port == nullptr) return 1;
  if (!port->engine_running()) return without_engine(session, *port);
  const Told before = told_by(*port).value_or(Told{});
  const int asked = session.call(Given(calls::kDrain), [&](const boost::json::value&) {
    session.say({"The engine is draining.", "エンジンが停止の準備を始めました。"});
    session.out().flush();
  });
  if (asked != 0) return asked;
  // The socket goes first, then the node leaves the store and the store is closed: who copies the
  // data has to wait for the process.
  constexpr std::chrono::milliseconds kBetween(100);
  for (std::chrono::milliseconds waited(0); waited < patience; waited += kBetween) {
    if (!port->call(request_of(Given(calls::kStatus))) && !is_alive(before.process)) {
      tell_what_is_left(session, before);
      return 0;
    }
    std::this_thread::sleep_for(kBetween);
  }
  return session.fail(session.words({"it is still running after {} s", "{} 秒たっても動作中です"},
                                    patience.count()));
}

int healthcheck(Session& session, bool live) {
  AdminPort* port = session.port();
  if (port == nullptr) return 1;
  if (!port->engine_running()) return without_engine(session, *port);
  if (live) {
    bool was_ready = false;
    const auto say = [&](const boost::json::value& told) {
      if (truth_of(told, "was_ready")) session.say({"alive", "動作中"});
    };
    const int alive =
        session.call({.target = "/healthz"}, say, [&](const boost::json::value& told) {
          was_ready = truth_of(told, "was_ready");
          return true;
        });
    if (alive != 0 || was_ready) return alive;
  }
  return session.call({.target = "/readyz"},
                      [&](const boost::json::value&) { session.say({"ready", "受け付け可能"}); });
}

}  // namespace todoku::cli
