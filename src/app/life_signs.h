// SPDX-License-Identifier: Apache-2.0
// Tells systemd that this process lives (WatchdogSec= of systemd.service(5)): a datagram now and
// then, as sd_notify(3) sends it. Whoever stands still sends none, and is ended and started anew.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "config/config.h"

namespace todoku::app {

class LifeSigns {
 public:
  struct Options {
    std::string socket;    // a path, or an abstract name behind @
    Milliseconds every{};  // > 0
  };

  // What NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID say; a third of the time that may pass.
  // nullopt: nobody watches process `pid`.
  [[nodiscard]] static std::optional<Options> asked_for(const config::Environment& environment,
                                                        int pid);

  // Begins at once, on a thread of its own. Throws std::system_error if there can be none.
  explicit LifeSigns(Options options);
  ~LifeSigns();
  LifeSigns(const LifeSigns&) = delete;
  LifeSigns& operator=(const LifeSigns&) = delete;

  // From then on nothing is sent while `problem` names one. Called on this object's thread.
  void follow(std::function<std::string()> problem);

 private:
  void run();
  void send() const;

  const Options options_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool ended_ = false;
  std::function<std::string()> problem_;
  std::string told_;  // in the log already
  std::thread thread_;
};

}  // namespace todoku::app
