// SPDX-License-Identifier: Apache-2.0
#include "app/serve.h"

#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "app/engine.h"
#include "app/open_files.h"
#include "base/log.h"

namespace todoku::app {
namespace {

using namespace std::chrono_literals;

// Past the configured time by so much the process ends, whatever hangs: the promises rest on the
// store, not on a clean exit.
constexpr std::chrono::seconds kPatience{10};

bool is_ignored(int signal) {
  struct sigaction now{};
  return ::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

// Those that the process was started to ignore are for others: SIGHUP under nohup, SIGINT of what a
// script put into the background (POSIX, "Signals and Error Handling" of the shell). SIGTERM is
// always meant, and `todoku drain` comes by it.
sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  for (const int signal : {SIGINT, SIGHUP}) {
    if (!is_ignored(signal)) sigaddset(&set, signal);
  }
  return set;
}

}

// While it drains because of `begun`: who asks again gets what is under way, since mail that is in
// flight would go twice. Only who presses Ctrl-C twice does not want to wait; nothing accepted is
// lost by it.
void let_only_a_second_interrupt_end(int begun) {
  for (const int again : {SIGTERM, SIGHUP}) std::signal(again, SIG_IGN);
  if (begun == SIGINT || is_ignored(SIGINT)) return;
  struct sigaction first{};
  first.sa_handler = [](int) {};
  first.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  ::sigaction(SIGINT, &first, nullptr);
