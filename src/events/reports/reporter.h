// SPDX-License-Identifier: Apache-2.0
// Tells senders of relayed mail what became of it (RFC 3461, RFC 3464): reads the events of the
// installation, gathers, and hands reports in as mail of the account. One process does so at a time
// (store/event_readers.h); what it tells and how far it has come are one commit, so that nothing is
// told twice or forgotten, whenever it dies.
//
// Lives on one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "async/task.h"
#include "async/task_group.h"
#include "async/timer.h"
#include "base/clock.h"
#include "base/line_budget.h"
#include "base/metrics.h"
#include "base/trouble.h"
#include "delivery/policy/notify_policy.h"
#include "events/reports/noticing.h"
#include "events/reports/reported_mail.h"
#include "intake/report_mail.h"
#include "store/store.h"

namespace todoku::events::reports {

struct ReporterOptions {
  bool enabled = true;  // else what happens is passed over, and nobody is told
  std::string host;     // who reports: as it says in EHLO
  std::string message_id_domain;
  delivery::policy::NotifyOptions notify;
  int date_offset_minutes = 0;  // east of UTC
  Milliseconds look_every = std::chrono::seconds(1);
};

class Reporter {
 public:
  // Everything referred to outlives it.
  struct World {
    store::Store& store;
    const Clock& clock;
    Metrics& metrics;
    std::function<store::NodeKey()> node;  // this process
    std::function<bool()> holds;           // its lease; without it nothing is told
    IsAccounts is_accounts;
    Meaning meaning;
    std::function<void()> work_arrived;  // tells the scheduler of this process; may be empty
  };
  Reporter(World world, ReporterOptions options, async::Executor executor);

  void start();
  // From any executor; once. Another process may go on.
  Task<void> stop();

  // One turn, for tests: takes the reader if nobody has it, reads, tells. True: at once again.
  Task<bool> turn();

 private:
  struct Figures {
    explicit Figures(Metrics& metrics);
    Counter& reports;
    Counter& failed;
    Counter& delayed;
    Counter& relayed;
    Counter& null_sender;
    Counter& is_report;
    Counter& foreign_sender;
    Counter& switched_off;
    Gauge& waiting;
    [[nodiscard]] Counter& of(mime::ReportAction action);
    [[nodiscard]] Counter& of(delivery::policy::Untold reason);
  };
  // A report, and of whom it tells.
  struct Made {
    intake::ReportMail mail;
    std::vector<mime::ReportAction> actions;
  };

  Task<void> run();
  Task<void> stop_here();
  Task<bool> take();
  Task<Result<bool>> read();
  Task<Result<bool>> tell();
  // nullopt: nothing is to be told.
  Task<Result<std::optional<Made>>> make(DueReport due);
  Task<Result<std::vector<mime::ReportedRecipient>>> recipients_of(const ReportedMail& mail,
                                                                   const DueReport& due);
  [[nodiscard]] std::optional<Made> compose(const ReportedMail& mail,
                                            std::vector<mime::ReportedRecipient> recipients);
  void leave_untold(const ReportedMail& mail, delivery::policy::Untold reason);
  // Commits what the state is to be, with reports.
  Task<Result<void>> save(ReaderState state, std::vector<Made> made);

  const World world_;
  const ReporterOptions options_;
  async::Executor executor_;
  Figures figures_;
  std::optional<store::NodeKey> taken_as_;
  ReaderState state_;  // as it is, and perhaps not stored as far as it is nothing but read past
  SteadyInstant save_at_{};
  LineBudget lines_{60, std::chrono::minutes(1)};
  bool stopping_ = false;
  Trouble trouble_{log::Level::warning, "senders of relayed mail are not told of failures",
                   "senders of relayed mail are told of failures again"};
  async::Signal wake_;
  async::TaskGroup tasks_;
};

}  // namespace todoku::events::reports
