// SPDX-License-Identifier: Apache-2.0
#include "app/roles/events.h"

#include <utility>
#include <vector>

#include "app/domain_examination.h"
#include "app/key_options.h"
#include "app/key_probe.h"
#include "app/module_options.h"
#include "app/roles/known_senders.h"
#include "app/sending_platform.h"
#include "app/told_endpoints.h"
#include "events/exports/error_list.h"
#include "events/exports/open_report.h"
#include "events/exports/recipient_list.h"
#include "explain/advice.h"
#include "intake/error_files.h"

namespace todoku::app::roles {
namespace {

using namespace std::chrono_literals;

// Where processes are several, an import begins that much later at the most.
constexpr Milliseconds kLookForImportsEvery = 2s;

intake::Importer::Waiting waiting_of(const config::Config& config) {
  intake::Importer::Waiting waiting;
  if (is_cluster(config)) waiting.look_every = kLookForImportsEvery;
  return waiting;
}

// There is nothing to read: whoever tells an endpoint looks what its owner has decided.
Task<Result<ChangeWatch::Take>> hear_of_owners(events::endpoints::Dispatcher& endpoints) {
  co_return ChangeWatch::Take([&endpoints]() -> Result<void> {
    endpoints.on_change();
    return {};
  });
}

// Where nothing is proven, because there is one account, its own From was accepted all the same.
bool is_accounts(const intake::Senders& senders, store::AccountKey account, std::string_view domain,
                 std::string_view from_domain) {
  using enum intake::Senders::Verdict;
  const auto verdict = senders.judge(account, domain);
  return verdict == proven || (verdict == unproven && domain == from_domain);
}

std::string meaning_of(const Outcome& outcome, Language language) {
  return std::string(explain::advice_for(outcome, true).meaning.in(language));
}

events::reports::Reporter::World reports_world(const Ground& ground, const intake::Senders& senders,
                                               std::function<void()> wake_scheduler) {
  return {.store = ground.store,
          .clock = ground.clock,
          .metrics = ground.metrics,
          .node = [&node = ground.node] { return node.key(); },
          .holds = [&node = ground.node] { return node.holds(); },
          .is_accounts =
              [&senders](store::AccountKey account, std::string_view domain,
                         std::string_view from_domain) {
                return is_accounts(senders, account, domain, from_domain);
              },
          .meaning = meaning_of,
          .work_arrived = std::move(wake_scheduler)};
}

events::protection::Watcher::World protection_world(const Ground& ground) {
  return {.store = ground.store,
          .clock = ground.clock,
          .metrics = ground.metrics,
          .node = [&node = ground.node] { return node.key(); },
          .holds = [&node = ground.node] { return node.holds(); },
          .receivers = receivers_by(ground.rules)};
}

// What everybody gets of new keys, as the zones' servers and a resolver say that remembers nothing.
KeyProbe key_probe(const Ground& ground, ProofNames& names) {
  return {
      .resolver = names.resolver(),
      .name_servers = [&names](std::string zone) { return names.resolver().ns(std::move(zone)); },
      .port = static_cast<std::uint16_t>(ground.config.doctor.domain_server_port)};
}

KeyKeeper::World key_keeper_world(const Ground& ground, ProofNames& names) {
  const KeyZoneWriter writer = key_zone_writer(ground.config);
  return {.store = ground.store,
          .clock = ground.clock,
          .metrics = ground.metrics,
          .box = ground.box,
          .files = ground.file_pool,
          .forget_answers = [&names] { names.resolver().forget_answers(); },
          .look =
              [&ground, &names](KeyLook look) {
                return look_for_keys(key_probe(ground, names), std::move(look));
              },
          .write_file = [writer](std::string_view text) { return writer.write(text); },
          .run_hook = [writer](std::string_view update) { return writer.run(update); },
          .changed = [&changes = ground.changes] { return changes.look(); }};
}

events::journal::Journaler::World journal_world(const Ground& ground) {
  return {.store = ground.store,
          .files = ground.file_pool,
          .clock = ground.clock,
          .metrics = ground.metrics,
          .node = [&node = ground.node] { return node.key(); },
          .holds = [&node = ground.node] { return node.holds(); }};
}

}  // namespace

EventsRole::EventsRole(const Ground& ground, std::function<void()> wake_scheduler,
                       ProofNames& names)
    : ground_(ground),
      passing_on_({.keys = ground.keys,
                   .clock = ground.clock,
                   .metrics = ground.metrics,
                   .work_arrived = wake_scheduler},
                  ground.runtime.executor(0)),
      importer_(
          ground.store, ground.uploads, [&node = ground.node] { return node.key(); },
          intake_limits(ground.config), passing_on_, ground.clock, waiting_of(ground.config)),
      exporter_(
          ground.store, ground.uploads, [&node = ground.node] { return node.key(); }, ground.clock),
      housekeeping_(ground.store, ground.runtime.executor(0), ground.clock,
                    std::chrono::days(ground.config.events.keep_days)),
      retention_(ground.store, ground.runtime.executor(0), ground.clock,
                 {.kept = {.content_days = ground.config.retention.content_days,
                           .story_days = ground.config.retention.story_days},
                  .audit_days = ground.config.retention.audit_days,
                  .report_days = ground.config.retention.report_days},
                 [&node = ground.node] { return node.key(); }),
      domains_(
          ground.store, [&names](std::string name) { return names.texts(std::move(name), false); },
          ground.runtime.executor(0), ground.clock),
      random_(random_seed()),
      endpoints_(endpoints_ground(ground, random_),
                 events::endpoints::Options{.closed_account = ground.config.console.mail_account},
                 ground.runtime.executor(0)),
      senders_(takes_any_sender(ground.config)),
      reports_(reports_world(ground, senders_, wake_scheduler), report_options(ground.config),
               ground.runtime.executor(0)),
      protection_(protection_world(ground), protection_options(ground.config),
                  ground.runtime.executor(0)) {
  const bool is_sandbox = ground.config.smtp_out.sandbox;  // nothing is asked unless somebody asks
  if (checks_domains(ground.config)) {
    domain_doctor_.emplace(
        DomainDoctor::World{.store = ground.store,
                            .examine = domain_examiner(ground.config, names, ground.clock),
                            .clock = ground.clock,
                            .metrics = ground.metrics,
                            .random = random_},
        DomainDoctor::Options{.every = std::chrono::hours(ground.config.doctor.domain_check_hours),
                              .platform = sending_platform(ground.config)},
        ground.runtime.executor(0));
  }
  if (!is_sandbox && !ground.config.dkim.platform_zone.empty()) {
    key_keeper_.emplace(key_keeper_world(ground, names), key_keeper_options(ground.config),
                        ground.runtime.executor(0));
  }
  if (!ground.config.probe_mailboxes.empty()) {
    probing_.emplace(ground, senders_, std::move(wake_scheduler));
  }
  if (!ground.config.journal.directory.empty()) {
    journal_.emplace(
        journal_world(ground),
        events::journal::JournalOptions{.folder = ground.config.journal.directory,
                                        .keep = std::chrono::days(ground.config.events.keep_days)},
        ground.runtime.executor(0));
    ground.collected.add([this] { journal_->show_lag(); });
  }
  follow_senders(ground, senders_);
  ground.changes.follow(store::Topic::webhooks, [this] { return hear_of_owners(endpoints_); });
  exporter_.add(
      store::ExportKind::error_list, "errors",
      [&store = ground.store](const store::ExportJob& job, events::exports::Sheet& sheet) {
        return events::exports::produce_error_list(store, job, sheet);
      });
  exporter_.add(
      store::ExportKind::open_report, "opens",
      [&store = ground.store](const store::ExportJob& job, events::exports::Sheet& sheet) {
        return events::exports::produce_open_report(store, job, sheet);
      });
  exporter_.add(
      store::ExportKind::recipient_list, "recipients",
      [&store = ground.store](const store::ExportJob& job, events::exports::Sheet& sheet) {
        return events::exports::produce_recipient_list(store, job, sheet);
      });
}

Result<void> EventsRole::start() {
  // Whose domains there are is known before somebody's are taken for a stranger's.
  if (auto looked = ground_.wait_for(ground_.changes.look()); !looked) return looked;
  auto begun = importer_.start_thread();
  if (!begun) return fail("going on with imports", std::move(begun.error()));
  running_.add([this](SteadyInstant) {
    importer_.stop();
    return true;
  });
  exporter_.start_thread();
  running_.add([this](SteadyInstant) {
    exporter_.stop();
    return true;
  });
  housekeeping_.start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(housekeeping_.stop());
    return true;
  });
  retention_.start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(retention_.stop());
    return true;
  });
  endpoints_.start();
  running_.add([this](SteadyInstant deadline) {
    ground_.wait_for(endpoints_.stop(deadline));
    return true;
  });
  reports_.start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(reports_.stop());
    return true;
  });
  protection_.start();
  running_.add([this](SteadyInstant) {
    ground_.wait_for(protection_.stop());
    return true;
  });
  if (journal_) {
    journal_->start();
    running_.add([this](SteadyInstant) {
      ground_.wait_for(journal_->stop());
      return true;
    });
  }
  if (probing_) {
    probing_->start();
    running_.add([this](SteadyInstant) {
      ground_.wait_for(probing_->stop());
      return true;
    });
  }
  if (!ground_.config.smtp_out.sandbox) {
    domains_.start();
    running_.add([this](SteadyInstant) {
      ground_.wait_for(domains_.stop());
      return true;
    });
  }
  if (key_keeper_) {
    key_keeper_->start();
    running_.add([this](SteadyInstant) {
      ground_.wait_for(key_keeper_->stop());
      return true;
    });
  }
  if (domain_doctor_) {
    domain_doctor_->start();
    running_.add([this](SteadyInstant) {
      ground_.wait_for(domain_doctor_->stop());
      return true;
    });
  }
  return {};
}

void ImportsElsewhere::discard(std::vector<std::string> errors) {
  if (errors.empty()) return;
  const auto nobodys = async::FilePool::Owner{};
  ground_.file_pool.post(nobodys, [&uploads = ground_.uploads, errors = std::move(errors)] {
    for (const std::string& name : errors) intake::remove_errors(uploads, name);
  });
}

}  // namespace todoku::app::roles
