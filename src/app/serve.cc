// SPDX-License-Identifier: Apache-2.0
#include "app/serve.h"

#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>

#include <fmt/format.h>
#include <unistd.h>

#include "app/engine.h"
#include "app/free_memory.h"
#include "app/life_signs.h"
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

// Whether one of them waits.
bool is_ending_asked() {
  sigset_t waiting;
  sigemptyset(&waiting);
  if (::sigpending(&waiting) != 0) return false;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
    if (sigismember(&waiting, signal) == 1) return true;
  }
  return false;
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
}

// Null: nobody watches, or nobody can be told.
std::unique_ptr<LifeSigns> life_signs() {
  const auto options = LifeSigns::asked_for(config::watchdog_environment(), ::getpid());
  if (!options) return nullptr;
  try {
    return std::make_unique<LifeSigns>(*options);
  } catch (const std::system_error& error) {
    log::warning("systemd is not told that this process lives", {{"reason", error.what()}});
    return nullptr;
  }
}

log::Level level_of(const std::string& word) {
  if (word == "debug") return log::Level::debug;
  if (word == "warning") return log::Level::warning;
  if (word == "error") return log::Level::error;
  return log::Level::info;
}

// Ends the process if it has not gone by itself in time.
class Watchdog {
 public:
  explicit Watchdog(std::chrono::seconds time)
      : thread_([this, time] {
          std::unique_lock lock(mutex_);
          if (gone_.wait_for(lock, time, [this] { return done_; })) return;
          log::error("stopping takes too long, giving up", {{"seconds", time.count()}});
          std::_Exit(1);
        }) {}
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() {
    {
      const std::lock_guard lock(mutex_);
      done_ = true;
    }
    gone_.notify_one();
    thread_.join();
  }

 private:
  std::mutex mutex_;
  std::condition_variable gone_;
  bool done_ = false;
  std::thread thread_;
};

// The signal. This thread has nothing else to do meanwhile.
int wait_for_ending(const sigset_t& signals, const Clock& clock) {
  constexpr timespec kBetweenLooks{.tv_sec = 10, .tv_nsec = 0};
  ReturnPace pace;
  for (;;) {
    const int signal = sigtimedwait(&signals, nullptr, &kBetweenLooks);
    if (signal > 0) return signal;
    if (errno == EAGAIN) return_free_memory(pace, clock.steady_now());
  }
}

}  // namespace

int serve(config::LoadedConfig loaded, bool begin_new) {
  log::configure(level_of(loaded.config.log.level),
                 loaded.config.log.format == "json" ? log::Format::json : log::Format::human);
  const std::chrono::seconds grace(loaded.config.engine.drain_seconds);
  raise_files_limit();
  std::signal(SIGPIPE, SIG_IGN);
  // Blocked in every thread to come, so that only wait_for_ending() below gets them.
  const sigset_t signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);

  const SystemClock clock;
  Engine engine({.loaded = std::move(loaded),
                 .clock = &clock,
                 .begin_new = begin_new,
                 .given_up = is_ending_asked,
                 .drain_asked = [] {
                   ::kill(::getpid(), SIGTERM);  // which changes nothing the second time
                 }});
  // From before the start, which may wait for a database or a folder for long; gone before the
  // engine.
  const auto signs = life_signs();
  const auto started = engine.start();
  if (!started && started.error().kind == ErrorKind::cancelled && is_ending_asked()) {
    log::info("stopped before it had started", {{"reason", started.error().detail}});
    return 0;
  }
  if (!started) {
    fmt::print(stderr, "todoku: {}\n", started.error().detail);
    return 1;
  }
  if (signs) signs->follow([&engine] { return engine.fatal(); });
  const int signal = wait_for_ending(signals, clock);
  log::info("draining", {{"signal", signal}, {"seconds", grace.count()}});
  let_only_a_second_interrupt_end(signal);
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
  std::optional<Watchdog> watchdog;
  try {
    watchdog.emplace(grace + kPatience);
  } catch (const std::system_error& error) {
    log::warning("nobody watches over stopping", {{"reason", error.what()}});
  }
  const bool clean = engine.stop(grace);
  if (signs) signs->follow({});
  log::info("stopped", {{"clean", clean}});
  return 0;
}

}  // namespace todoku::app
