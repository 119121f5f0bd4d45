// SPDX-License-Identifier: Apache-2.0
// Listens to what this process logs and tells operators of what is wrong (digest.h): by mail and by
// a call, each by itself, so that one way that is closed holds up no other. That telling fails is a
// warning in the log, and no alarm.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alarms/digest.h"
#include "async/file_pool.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/trouble.h"

namespace todoku::alarms {

// A way to tell. Blocks; ends soon once `stopped` is true. Errors: any, and it is tried again. Else
// whom it did not reach, and why, in words; nobody, if all is well.
struct Way {
  std::string name;  // "mail", "webhook": a label of metrics
  std::function<Result<std::vector<std::string>>(const Report&, const std::atomic<bool>& stopped)>
      tell;
};

struct AlarmerOptions {
  DigestOptions digest;
  std::vector<std::string> warnings;  // events that are told though they are no errors
};

class Alarmer {
 public:
  // Everything referred to outlives it.
  struct World {
    const Clock& clock;
    Metrics& metrics;
    std::vector<Way> ways;
  };
  Alarmer(World world, AlarmerOptions options, async::Executor executor);
  ~Alarmer();
  Alarmer(const Alarmer&) = delete;
  Alarmer& operator=(const Alarmer&) = delete;

  // Listens to the log of the process from now on; one does at a time.
  void start();
  // Tells what is gathered, if it can within a few seconds, and returns when nothing of it runs.
  // From any executor, once.
  Task<void> stop();

  // What a line of the log does, from any thread.
  void hear(log::Level level, std::string_view event, log::Fields fields);
  // One look at each way, for tests. How many reports were told.
  Task<int> look();
  // The one at the end: what is gathered is told, due or not.
  Task<int> last_look();

 private:
  struct Told;
  struct State;
  Task<void> run();
  Task<void> stop_here();
  Task<int> tell(bool all);
  static void tell_missed(Told& told, const std::vector<std::string>& missed, SteadyInstant now);

  const World world_;
  async::Executor executor_;
  const std::shared_ptr<State> state_;  // also the log's, as long as it may call
  async::FilePool senders_;
  std::atomic<bool> stopped_{false};
  std::atomic<bool> given_up_{false};  // ways are to end what they tell
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::alarms
