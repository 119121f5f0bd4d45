// SPDX-License-Identifier: Apache-2.0
// todoku status|drain|healthcheck
#include <thread>

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

#include "base/clock.h"
#include "cli/commands.h"

namespace todoku::cli {
namespace {

void print_running(std::ostream& out, const boost::json::value& status) {
  fmt::print(out, "engine     {}, process {}, since {}\n",
             truth_of(status, "draining") ? "draining" : "running", number_of(status, "pid"),
             text_of(status, "started"));
  std::string roles;
  for (const auto& role : list_of(status, "roles")) {
    if (!roles.empty()) roles += ", ";
    if (role.is_string()) roles += role.get_string();
  }
  fmt::print(out, "roles      {}\n", roles);
  fmt::print(out, "API        {}\n", text_of(status, "api"));
}

}  // namespace

int show_status(Session& session) {
  return session.call({.target = "/status"}, [&](const boost::json::value& status) {
    std::ostream& out = session.out();
    fmt::print(out, "version    {}\n", text_of(status, "version"));
    if (truth_of(status, "running")) {
      print_running(out, status);
    } else {
      fmt::print(out, "engine     not running\n");
    }
    fmt::print(out, "data       {}\n", text_of(status, "data_directory"));
    for (const auto& queue : list_of(status, "queues")) {
      const std::string due = text_of(queue, "earliest_due");
      fmt::print(out, "{:<14} {} recipients to go{}\n", text_of(queue, "class"),
                 number_of(queue, "waiting"), due.empty() ? "" : ", earliest due " + due);
      if (const std::int64_t aside = number_of(queue, "set_aside"); aside > 0) {
        fmt::print(out, "{:<14} {} of them set aside, they wait for you: todoku stuck\n", "",
                   aside);
      }
    }
  });
}

int drain(Session& session, std::chrono::seconds patience) {
  AdminPort* port = session.port();
  if (port == nullptr) return 1;
  if (!port->engine_running()) return session.fail("the engine is not running");
  const int asked = session.call(
      {.method = "POST", .target = "/drain"},
      [&](const boost::json::value&) { session.out() << "The engine is draining." << std::endl; });
  if (asked != 0) return asked;
  // The socket goes away with the process; there is nothing else to wait on from outside.
  constexpr std::chrono::milliseconds kBetween(100);
  for (std::chrono::milliseconds waited(0); waited < patience; waited += kBetween) {
    if (!port->call({.target = "/status"})) {
      session.out() << "It has stopped.\n";
      return 0;
    }
    std::this_thread::sleep_for(kBetween);
  }
  return session.fail(fmt::format("it is still running after {} s", patience.count()));
}

int healthcheck(Session& session) {
  AdminPort* port = session.port();
  if (port == nullptr) return 1;
  if (!port->engine_running()) return session.fail("the engine is not running");
  return session.call({.target = "/readyz"},
                      [&](const boost::json::value&) { session.out() << "ready\n"; });
}

}  // namespace todoku::cli
