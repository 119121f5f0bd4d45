// SPDX-License-Identifier: Apache-2.0
// Role `events`: the work that no request and no mail waits for. It runs the imports and makes the
// exports that API processes have begun, removes little by little what was deleted, looks at proofs
// of domains, checks what domains say in the DNS, moves on DKIM keys that rotate by themselves,
// tells endpoints of webhooks, and senders of relayed mail what failed. Whichever process has the
// role takes what waits or what a dead one has left.
#pragma once

#include <functional>
#include <optional>
#include <string_view>

#include "app/domain_doctor.h"
#include "app/domain_watch.h"
#include "app/housekeeping.h"
#include "app/key_keeper.h"
#include "app/passing_on.h"
#include "app/probing.h"
#include "app/proof_names.h"
#include "app/retention.h"
#include "app/roles/ground.h"
#include "app/roles/role.h"
#include "app/running.h"
#include "base/random.h"
#include "events/endpoints/dispatcher.h"
#include "events/exports/exporter.h"
#include "events/journal/journaler.h"
#include "events/protection/watcher.h"
#include "events/reports/reporter.h"
#include "intake/importer.h"
#include "intake/senders.h"

namespace todoku::app::roles {

class EventsRole final : public Role {
 public:
  // `wake_scheduler`: of the same process; may be empty. `names` asks the DNS. `ground` and `names`
  // outlive the role.
  EventsRole(const Ground& ground, std::function<void()> wake_scheduler, ProofNames& names);

  [[nodiscard]] std::string_view name() const override { return "events"; }
  [[nodiscard]] Result<void> start() override;
  bool stop(SteadyInstant deadline) override { return running_.stop(deadline); }
  void describe(operate::EngineStatus& status) const override {
    if (journal_) status.journal = journal_->trouble();
  }

  // For an API in the same process, whose imports begin at once.
  [[nodiscard]] intake::ImportStarter& imports() { return importer_; }

 private:
  const Ground& ground_;
  PassingOn passing_on_;  // of deliveries that an import commits; it rings for nobody
  intake::Importer importer_;
  events::exports::Exporter exporter_;
  Housekeeping housekeeping_;
  Retention retention_;
  DomainWatch domains_;
  SeededRandom random_;
  std::optional<DomainDoctor> domain_doctor_;
  std::optional<KeyKeeper> key_keeper_;
  std::optional<Probing> probing_;
  events::endpoints::Dispatcher endpoints_;
  intake::Senders senders_;
  events::reports::Reporter reports_;
  events::protection::Watcher protection_;
  std::optional<events::journal::Journaler> journal_;
  Running running_;
};

// For an API whose process has not the role: its jobs are nobody's, until one that has it looks.
class ImportsElsewhere final : public intake::ImportStarter {
 public:
  explicit ImportsElsewhere(const Ground& ground) : ground_(ground) {}

  [[nodiscard]] store::NodeKey node() const override { return store::kNobody; }
  void start(store::ImportJob job) override { (void)job; }
  void discard(std::vector<std::string> errors) override;

 private:
  const Ground& ground_;
};

}  // namespace todoku::app::roles
