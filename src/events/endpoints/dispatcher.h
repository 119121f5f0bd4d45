// SPDX-License-Identifier: Apache-2.0
// Tells endpoints of events (docs/webhooks.md), as far as this process has taken them: each is one
// node's at a time (store/webhooks.h). Looks for those that nobody tells, and for new events.
//
// Lives on one thread.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/trouble.h"
#include "events/endpoints/ground.h"
#include "events/endpoints/teller.h"

namespace todoku::events::endpoints {

class Dispatcher {
 public:
  Dispatcher(Ground ground, Options options, async::Executor executor);

  void start();
  // Calls that are under way get a while to be answered, at most until `deadline`; then the
  // endpoints are others'. From any executor; once.
  Task<void> stop(SteadyInstant deadline);

  // Some owner has decided something. On the executor.
  void on_change();

 private:
  Task<void> run();
  Task<void> look();
  Task<void> take(std::string name);
  Task<void> poll();
  void let_go();
  Task<void> stop_leaving(std::string name);
  // Something was thrown as it was told: it is not taken again before a while has passed.
  void put_off(const std::string& name);
  void show_figures();
  Task<void> stop_here(SteadyInstant deadline);

  const Ground ground_;
  const Options options_;
  async::Executor executor_;
  Figures figures_;
  std::map<std::string, std::unique_ptr<Teller>, std::less<>> tellers_;
  std::map<std::string, std::unique_ptr<Teller>, std::less<>> leaving_;  // over, not stopped yet
  // One that was put off, for longer each time, until it has been told for kForgivenAfter.
  struct PutOff {
    int times = 0;
    SteadyInstant until{};
  };
  std::map<std::string, PutOff, std::less<>> put_off_;
  std::size_t endpoints_ = 0;  // of the installation, at the last look
  SteadyInstant look_at_{};
  std::optional<store::EventPlace> polled_;  // up to which those whom events concern were woken
  SteadyInstant all_look_at_{};
  bool stopping_ = false;
  Trouble looking_{log::Level::error, "endpoints of webhooks are not looked for",
                   "endpoints of webhooks are looked for again"};
  async::Signal wake_;
  async::TaskGroup tasks_;
  async::TaskGroup leavings_;
};

}  // namespace todoku::events::endpoints
