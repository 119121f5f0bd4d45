// SPDX-License-Identifier: Apache-2.0
// todoku status|drain|healthcheck
#include <cerrno>
#include <fstream>
#include <iterator>
#include <thread>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>
#include <signal.h>
#include <sys/types.h>

#include "base/clock.h"
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
constexpr Sentence kData{"data       ", "データ     "};
constexpr Sentence kRunning{"running", "動作中"};
constexpr Sentence kDraining{"draining", "停止準備中"};
constexpr Sentence kStopped{"not running", "停止中"};
constexpr Sentence kNotRunning{"the engine is not running", "エンジンは動いていません"};

void print_running(Session& session, const boost::json::value& status) {
  const Language language = session.language();
  std::ostream& out = session.out();
  const std::string_view state = (truth_of(status, "draining") ? kDraining : kRunning).in(language);
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
  fmt::print(out, "{}{}\n", kApi.in(language), text_of(status, "api"));
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

// 0 if it cannot be told.
pid_t process_of(AdminPort& port) {
  const auto answer = port.call(request_of(Given(calls::kStatus)));
  if (!answer || !answer->ok()) return 0;
  http::JsonArena arena;
  const auto status = http::parse_json(answer->body, arena);
  return status ? static_cast<pid_t>(number_of(*status, "pid")) : 0;
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
      fmt::print(out, "{}{}\n", kEngine.in(language), kStopped.in(language));
    }
    fmt::print(out, "{}{}\n", kData.in(language), text_of(status, "data_directory"));
    for (const auto& queue : list_of(status, "queues")) print_queue(session, queue);
  });
}

int drain(Session& session, std::chrono::seconds patience) {
  AdminPort* port = session.port();
  if (port == nullptr) return 1;
  if (!port->engine_running()) return session.fail(session.words(kNotRunning));
  const pid_t engine = process_of(*port);
  const int asked = session.call(Given(calls::kDrain), [&](const boost::json::value&) {
    session.say({"The engine is draining.", "エンジンが停止の準備を始めました。"});
    session.out().flush();
  });
  if (asked != 0) return asked;
  // The socket goes first, then the node leaves the store and the store is closed: who copies the
  // data has to wait for the process.
  constexpr std::chrono::milliseconds kBetween(100);
  for (std::chrono::milliseconds waited(0); waited < patience; waited += kBetween) {
    if (!port->call(request_of(Given(calls::kStatus))) && !is_alive(engine)) {
      session.say({"It has stopped.", "停止しました。"});
      return 0;
    }
    std::this_thread::sleep_for(kBetween);
  }
  return session.fail(session.words({"it is still running after {} s", "{} 秒たっても動作中です"},
                                    patience.count()));
}

int healthcheck(Session& session) {
  AdminPort* port = session.port();
  if (port == nullptr) return 1;
  if (!port->engine_running()) return session.fail(session.words(kNotRunning));
  return session.call({.target = "/readyz"},
                      [&](const boost::json::value&) { session.say({"ready", "受け付け可能"}); });
}

}  // namespace todoku::cli
