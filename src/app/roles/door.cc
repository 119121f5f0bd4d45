// SPDX-License-Identifier: Apache-2.0
#include "app/roles/door.h"

#include <utility>

#include "app/module_options.h"
#include "app/roles/known_senders.h"
#include "delivery/options.h"

namespace todoku::app::roles {
namespace {

// What it could not hear of it hears of with its next look, and tells of its trouble itself.
Task<void> hear_of_changes(ChangeWatch& changes) {
  (void)co_await changes.look();
}

}  // namespace

Door::Door(const Ground& ground, Shared& shared, Beside beside)
    : ground_(ground),
      passing_on_({.keys = ground.keys,
                   .clock = ground.clock,
                   .metrics = ground.metrics,
                   .life_time =
                       delivery_options(ground.config, ground.secret).retry_transactional.life_time,
                   .sending = beside.sending,
                   .work_arrived = std::move(beside.wake_scheduler),
                   .courses_changed = [&ground] { return hear_of_changes(ground.changes); },
                   .queues = shared.is_cluster() ? &shared.queues() : nullptr,
                   .live = &shared.live(),
                   .pools = source_pools(ground.config),
                   .store = &ground.store},
                  ground.runtime.executor(0)),
      senders_(takes_any_sender(ground.config)),
      mail_limit_(ground.store, ground.clock),
      intake_(ground.store, ground.clock, intake_limits(ground.config), passing_on_,
              ground.metrics),
      imports_elsewhere_(ground),
      counting_(mail_limit_, ground.node, ground.runtime.executor(0), ground.clock) {
  if (beside.imports != nullptr) {
    intake_.set_import_starter(*beside.imports);
  } else {
    intake_.set_import_starter(imports_elsewhere_);
  }
  intake_.set_senders(senders_);
  intake_.set_mail_limit(mail_limit_);
  follow_senders(ground, senders_);
}

// Before anybody asks: what is not known is refused.
Result<void> Door::check_senders() {
  auto looked = ground_.wait_for(ground_.changes.look());
  if (!looked) return looked;
  if (!takes_any_sender(ground_.config) || !senders_.several()) return {};
  return fail(ErrorKind::invalid_input,
              "intake.from_domains is \"any\", which is for a single account, and there are "
              "several: give each its domains (`todoku domain add ACCOUNT DOMAIN`, with --proven "
              "where you stand for it) and set it to \"proven\"");
}

Result<void> Door::start() {
  if (std::exchange(started_, true)) return {};
  if (auto known = check_senders(); !known) return known;
  counting_.start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(counting_.stop());
    return true;
  });
  passing_on_.start();
  running_.add([this](SteadyInstant deadline) {
    ground_.wait_for(passing_on_.stop(deadline));
    return true;
  });
  return {};
}

}  // namespace todoku::app::roles
