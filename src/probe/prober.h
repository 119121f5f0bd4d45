// SPDX-License-Identifier: Apache-2.0
// Asks for probes by the schedule, hands their mails over to the engine as it takes anybody's,
// looks for them in the mailboxes, and keeps where they were. Any number of processes may do so:
// each probe is one's for a while (store/probes.h), and one that dies leaves it to the others. A
// probe whose handing over was not kept is handed over once more: it is a test mail.
//
// Lives on one thread; mailboxes are read on threads of its own.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/file_pool.h"
#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "base/trouble.h"
#include "probe/mailbox.h"
#include "store/store.h"

namespace todoku::probe {

struct SeedMailbox {
  std::string name;
  std::string provider;
  std::string address;
  std::string authserv_id;  // verdicts.h
  // How it is read now; may wait for the disk. Errors: any, and it is not read.
  std::function<Result<MailboxAccess>()> access;
};

struct ProbeOptions {
  std::vector<SeedMailbox> mailboxes;
  std::vector<std::string> senders;  // From addresses; one probe for each
  std::string subject = "todoku";    // before the token
  std::string text;
  Milliseconds every{0};                         // 0: only when somebody asks
  Milliseconds most = std::chrono::minutes(10);  // so long it is looked for
  bool remove = true;                            // from the mailbox, once found
  std::chrono::days keep{90};                    // history
};

struct ProbeMail {
  std::string from;
  std::string to;
  std::string subject;
  std::string text;
  Milliseconds expires_in{};
};

// Of a probe that is asked for by somebody: nobody can guess it.
[[nodiscard]] std::string random_token();
// When it is looked for again, `since` after it was sent.
[[nodiscard]] Milliseconds next_look(Milliseconds since);

class Prober {
 public:
  // Everything referred to outlives it.
  struct World {
    store::Store& store;
    const Clock& clock;
    Metrics& metrics;
    std::function<bool()> holds;  // this process has its lease; without it nothing is begun
    // Hands a mail over to the engine.
    std::function<Task<Result<store::DeliveryKey>>(ProbeMail)> hand_over;
    // Secret of the installation: tokens of the schedule are made of it.
    std::string secret;
    // Blocks; as find_mail() does.
    std::function<Result<std::optional<FoundMail>>(const MailboxAccess&, const MailboxWish&,
                                                   const Clock&, const std::atomic<bool>& stopped)>
        find = find_mail;
  };
  Prober(World world, ProbeOptions options, async::Executor executor);

  void start();
  // Returns when nothing of it runs. From any executor, once.
  Task<void> stop();

  // One round, for tests: asks what the schedule asks for, works on all that is due. How many.
  Task<Result<std::size_t>> round();

 private:
  Task<void> run();
  Task<void> stop_here();
  Task<Result<std::size_t>> begin();
  Task<Result<void>> ask_by_schedule();
  Task<void> work(store::Probe probe);
  Task<void> hand_over(store::Probe& probe);
  Task<void> look(store::Probe& probe, const SeedMailbox& mailbox);
  Task<Result<void>> read_story(store::ProbeNews& news);
  Task<void> search(store::Probe& probe, const SeedMailbox& mailbox, bool last);
  void over(store::Probe& probe, store::ProbePlace place);
  void tell(const store::Probe& probe);
  [[nodiscard]] const SeedMailbox* mailbox_of(const store::Probe& probe) const;

  const World world_;
  const ProbeOptions options_;
  async::Executor executor_;
  async::FilePool readers_;
  std::atomic<bool> stopped_{false};
  std::optional<Instant> asked_slot_;
  SteadyInstant drop_at_{};
  Trouble trouble_{log::Level::warning, "probes are not worked on", "probes are worked on again"};
  async::Signal wake_;
  async::TaskGroup workers_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::probe
